// What the server is measured beside: `flow.yaml` as a bot on Microsoft's `botbuilder-calling` 3.0.1.
//
//     node bot.js PORT
//
// It does less than the server: no token check, and its state is in memory, lost at its end. It speaks plain http by
// Node's own server, so the SDK's restify habits are put on by hand. That it has read the audio, its goodbye tells.
'use strict';

const http = require('http');
const calling = require('botbuilder-calling');

// What the SDK expects of restify.
function asRestify(request, response) {
  request.is = (type) => (request.headers['content-type'] || '').startsWith(type);
  response.status = (code) => { response.statusCode = code; };
  response.send = (body) => response.end(body ? JSON.stringify(body) : undefined);
}

const connector = new calling.CallConnector({ appId: 'bench-app', appPassword: 'unused' });
connector.verifyBotFramework = (request, response) => {
  connector.dispatch(request.body, connector.responseCallback(request, response));
};

// The SDK's own store is a service that is gone; this one is in memory.
const bot = new calling.UniversalCallBot(connector, { storage: new calling.MemoryBotStorage() });
bot.on('error', (error) => console.error(error));

bot.dialog('/', (session) => {
  session.answer();
  session.beginDialog('/main');
});

bot.dialog('/main', [
  (session) => calling.Prompts.choice(
    session,
    'To hear this again, press 1. To leave a message, press 2. To finish, press 3.',
    [
      { name: 'again', dtmfVariation: '1', speechVariation: ['again'] },
      { name: 'message', dtmfVariation: '2', speechVariation: ['message', 'leave a message'] },
      { name: 'bye', dtmfVariation: '3', speechVariation: ['goodbye'] },
    ],
  ),
  (session, results) => {
    const next = { again: '/main', message: '/message' }[results.response && results.response.entity];
    if (next) {
      session.replaceDialog(next);
    } else {
      session.endConversation('Thank you. Goodbye.');
    }
  },
]);

bot.dialog('/message', [
  (session) => calling.Prompts.record(session, 'Please speak after the beep.'),
  (session, results) => {
    const audio = results.response && results.response.recordedAudio;
    session.endConversation(`Thank you for ${audio ? audio.length : 0} bytes. Goodbye.`);
  },
]);

const handle = connector.listen();
const server = http.createServer((request, response) => {
  asRestify(request, response);
  handle(request, response);
});
connector.settings.callbackUrl = 'https://bench.example/callback';
server.listen(Number(process.argv[2]), '127.0.0.1');
