// What later entries of a log make of what was before them: crates/wharf-types/src/fold.rs in the browser, with the same tests
// (docs/protocol/fold.json). Entries are changed in place.

/** @typedef {import('./types').Entry} Entry */
/** @typedef {import('./types').Room} Room */
/** @typedef {import('./types').Mentions} Mentions */

/** The position of the entry that a body is about; undefined where it stands for itself. @param {import('./types').Body | null | undefined} body @returns {number | undefined} */
export function targetOf(body) {
    switch (body?.kind) {
        case 'edit':
        case 'recall':
        case 'reaction':
        case 'pin':
            return body.target;
        default:
            return undefined;
    }
}

/** Whether an entry counts as unread for who has not seen it. @param {Entry} entry */
export const isSaid = (entry) => entry.body?.kind === 'text' || entry.body?.kind === 'file';

/**
 * Lets `later` change `earlier`, an entry of the same log, and says whether it did. Replaying some of the later entries up to the last one, in
 * order, ends in the same state.
 * @param {Entry} earlier @param {Entry} later
 */
export function apply(earlier, later) {
    if (later.position <= earlier.position || !later.body) return false;
    const { body } = later;
    const target = targetOf(body);
    if (target === undefined) return false;
    if (target !== earlier.position) {
        if (body.kind === 'recall' && earlier.body?.kind === 'edit' && earlier.body.target === target) {
            delete earlier.body;
            return true;
        }
        return false;
    }
    if (earlier.state?.recalled !== undefined) return false;
    const state = (earlier.state ??= {});
    switch (body.kind) {
        case 'edit':
            if (state.edited && state.edited.position >= later.position) return false;
            state.edited = { position: later.position, at_ms: later.at_ms, text: body.text, ...mentionsField(body.mentions) };
            return true;
        case 'recall':
            delete earlier.body;
            earlier.state = { recalled: later.position };
            return true;
        case 'reaction':
            return setReaction(state, later, body);
        case 'pin':
            return setPin(state, later.position, body.is_set);
        default:
            return false;
    }
}

/** @param {Mentions | undefined} mentions */
const mentionsField = (mentions) => (mentions && (mentions.everybody || mentions.accounts?.length) ? { mentions } : {});

/** The first of several equal reactions of one account holds, until one taken back past it. @param {import('./types').EntryState} state @param {Entry} later @param {import('./types').Reaction} body */
function setReaction(state, later, { emoji, is_set: isSet }) {
    const account = later.account;
    if (!account) return false;
    const reactions = (state.reactions ??= []);
    const index = reactions.findIndex((held) => held.account === account && held.emoji === emoji);
    if (index < 0 && isSet) {
        reactions.push({ account, emoji, position: later.position });
        return true;
    }
    if (index >= 0 && !isSet && reactions[index].position < later.position) {
        reactions.splice(index, 1);
        return true;
    }
    return false;
}

/** The first of several pins holds, until one taken away past it. @param {import('./types').EntryState} state @param {number} position @param {boolean} isSet */
function setPin(state, position, isSet) {
    if (isSet && state.pinned === undefined) {
        state.pinned = position;
        return true;
    }
    if (!isSet && state.pinned !== undefined && state.pinned < position) {
        delete state.pinned;
        return true;
    }
    return false;
}

/** What an entry says now; undefined where it says nothing in words. @param {Entry} entry @returns {string | undefined} */
export function textOf(entry) {
    const { body } = entry;
    if (body?.kind !== 'text' && body?.kind !== 'file' && body?.kind !== 'edit') return undefined;
    return entry.state?.edited?.text ?? body.text ?? '';
}

/** Whom an entry mentions now. @param {Entry} entry @returns {Mentions | undefined} */
export function mentionsOf(entry) {
    const { body } = entry;
    if (body?.kind !== 'text' && body?.kind !== 'file') return undefined;
    const edited = entry.state?.edited;
    const mentions = edited ? edited.mentions : body.mentions;
    return mentions && (mentions.everybody || mentions.accounts?.length) ? mentions : undefined;
}

/** Whether an entry means `account`. @param {Entry} entry @param {string} account */
export function mentions(entry, account) {
    const found = mentionsOf(entry);
    return found !== undefined && (found.everybody === true || (found.accounts ?? []).includes(account));
}

/**
 * Lets an entry past a room's head change the room as `me`, a member, sees it. Says whether it was the next entry.
 * @param {Room} room @param {string} me @param {Entry} entry
 */
export function applyToRoom(room, me, entry) {
    if (entry.position !== room.head + 1) return false;
    room.head = entry.position;
    room.head_hash = entry.hash;
    const { body } = entry;
    if (body?.kind === 'member') setMember(room, me, body);
    else if (body?.kind === 'settings') setRoom(room, body);
    else return true;
    if (room.kind === 'group') room.can_write = room.role !== 'reader' && !room.archived;
    return true;
}

/** @param {Room} room @param {string} me @param {import('./types').Member} member */
function setMember(room, me, member) {
    if (member.change === 'joined') room.member_count += 1;
    else if (member.change === 'left' || member.change === 'removed') room.member_count = Math.max(0, room.member_count - 1);
    if (member.role === 'owner') room.owner = member.account;
    if (member.account === me && member.role) room.role = member.role;
}

/** @param {Room} room @param {import('./types').Settings} settings */
function setRoom(room, settings) {
    room.name = settings.name ?? room.name;
    room.topic = settings.topic ?? room.topic;
    room.history = settings.history ?? room.history;
    room.keep_days = settings.keep_days ?? room.keep_days;
    room.archived = settings.archived ?? room.archived;
}
