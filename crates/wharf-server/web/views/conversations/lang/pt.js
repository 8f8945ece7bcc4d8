/** @type {import('../../../lang/index.js').Texts} */
export default {
    'conversations.own': 'Guardado para mim',
    'conversations.you': 'Eu',
    'conversations.server': 'Wharf',
    'conversations.nothing': 'Ainda sem mensagens',
    'conversations.recalled': 'Retirada',
    'conversations.mentioned': 'Foi mencionado',
    'conversations.messages': 'Mensagens',
    'conversations.write': 'Escrever uma mensagem',
    'conversations.send': 'Enviar',
    'conversations.unread': { one: '{n} mensagem por ler', other: '{n} mensagens por ler' },
};
