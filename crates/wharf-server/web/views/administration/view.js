// The administration: the people of the server, its invitations, what it holds, and what it is doing.

import { sections } from '../../parts/sections.js';
import { Invitations } from './invitations.js';
import { People } from './people.js';
import { Server } from './server.js';
import { Holder } from './storage.js';

export const { List, Main } = sections('administration', [
    { id: 'people', icon: 'contacts', show: People, isWhole: true },
    { id: 'invitations', icon: 'link', show: Invitations },
    { id: 'storage', icon: 'deposits', show: Holder },
    { id: 'server', icon: 'info', show: Server },
]);
