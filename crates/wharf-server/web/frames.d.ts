// The frames of the live socket: crates/wharf-types/src/api/live.rs.

import type { AccountId, AccountItem, Draft, Entry, RoomId } from './types';

export type Status = 'online' | 'away' | 'busy' | 'offline' | 'invisible';
export type Presence = { account: AccountId; status: Status; seen_ms?: number };

export type Welcome = {
    epoch: string; account: AccountId; session: string; number: number; time_ms: number;
    heartbeat_seconds: number; recall_minutes: number; edit_minutes: number;
};

export type ClientFrame =
    | { type: 'hello'; version: 1; device?: string; epoch?: string; account_version: number; rooms: Record<RoomId, { position: number; hash: string }>; entries: boolean }
    | { type: 'send'; number: number; room: RoomId; draft: Draft; client_ms?: number }
    | { type: 'read' | 'delivered'; room: RoomId; position: number }
    | { type: 'typing'; room: RoomId; stopped?: boolean }
    | { type: 'status'; status: Status }
    | { type: 'watch'; accounts: AccountId[] }
    | { type: 'ping'; number: number };

export type ServerFrame =
    | ({ type: 'welcome' } & Welcome)
    | { type: 'account'; version: number; items: AccountItem[] }
    | { type: 'rooms'; items: import('./types').Room[]; diverged?: RoomId[] }
    | { type: 'ready' }
    | { type: 'entry'; room: RoomId; entry: Entry }
    | { type: 'skip'; room: RoomId; from: number; to: number }
    | { type: 'lag'; room: RoomId; head: number; hash: string }
    | { type: 'ack'; number: number; room: RoomId; position: number; at_ms: number; hash: string }
    | { type: 'nack'; number: number; code: string; detail: string; expected?: number; retry_after_ms?: number }
    | { type: 'cursor'; room: RoomId; account: AccountId; read?: number; delivered?: number }
    | { type: 'presence'; items: Presence[] }
    | { type: 'typing'; room: RoomId; account?: AccountId; stopped?: boolean }
    | { type: 'drive'; room: RoomId; head: number }
    | { type: 'pong'; number: number; time_ms: number }
    | { type: 'bye'; code: string; detail: string };
