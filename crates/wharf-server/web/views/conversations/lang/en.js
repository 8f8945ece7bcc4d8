/** @type {import('../../../lang/index.js').Texts} */
export default {
    'conversations.own': 'Saved for myself',
    'conversations.you': 'You',
    'conversations.server': 'Wharf',
    'conversations.nothing': 'Nothing said yet',
    'conversations.recalled': 'Taken back',
    'conversations.mentioned': 'You were mentioned',
    'conversations.messages': 'Messages',
    'conversations.write': 'Write a message',
    'conversations.send': 'Send',
    'conversations.unread': { one: '{n} unread message', other: '{n} unread messages' },
};
