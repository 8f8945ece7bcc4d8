// The settings: the own account, its storage, its devices, its notifications, its passwords for gateways, how this browser shows the page, and its shortcuts.

import { sections } from '../../parts/sections.js';
import { Account } from './account.js';
import { Appearance } from './appearance.js';
import { Devices } from './devices.js';
import { Gateways } from './gateways.js';
import { Keyboard } from './keyboard.js';
import { Notifications } from './notifications.js';
import { Storage } from './storage.js';

export const { List, Main } = sections('settings', [
    { id: 'account', icon: 'user', show: Account },
    { id: 'storage', icon: 'deposits', show: Storage, isWhole: true },
    { id: 'devices', icon: 'shield', show: Devices },
    { id: 'notifications', icon: 'bell', show: Notifications },
    { id: 'gateways', icon: 'lock', show: Gateways },
    { id: 'appearance', icon: 'theme', show: Appearance },
    { id: 'keyboard', icon: 'keyboard', show: Keyboard },
]);
