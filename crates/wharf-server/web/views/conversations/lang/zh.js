/** @type {import('../../../lang/index.js').Texts} */
export default {
    'conversations.own': '给自己的',
    'conversations.you': '你',
    'conversations.server': 'Wharf',
    'conversations.nothing': '还没有消息',
    'conversations.recalled': '已撤回',
    'conversations.mentioned': '有人提到你',
    'conversations.messages': '消息',
    'conversations.write': '写消息',
    'conversations.send': '发送',
    'conversations.unread': { other: '{n} 条未读' },
};
