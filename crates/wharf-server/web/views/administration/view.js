// The administration: the people of the server, its invitations, and what it is doing.

import { sections } from '../../parts/sections.js';
import { Invitations } from './invitations.js';
import { People } from './people.js';
import { Server } from './server.js';

export const { List, Main } = sections('administration', [
    { id: 'people', icon: 'contacts', show: People, isWhole: true },
    { id: 'invitations', icon: 'link', show: Invitations },
    { id: 'server', icon: 'info', show: Server },
]);
