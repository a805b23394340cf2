// A bot on Microsoft's `botbuilder-calling` 3.0.1, as its users wrote them, for the phone to call.
//
//     node bot.js '{"appId": "...", "metadata": "http://127.0.0.1:.../openidconfiguration"}'
//
// The first line that it prints is {"url": ...}; each further one is what a dialog got: {"got": ..., "value": ...}.
// Its token check is the SDK's own, and on. It speaks plain http, so the SDK's restify habits are put on by hand.
'use strict';

const http = require('http');
const calling = require('botbuilder-calling');

const settings = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');

// What the SDK expects of restify.
function asRestify(request, response) {
  request.is = (type) => (request.headers['content-type'] || '').startsWith(type);
  response.status = (code) => { response.statusCode = code; };
  response.send = (body) => response.end(body ? JSON.stringify(body) : undefined);
}

const connector = new calling.CallConnector({ appId: settings.appId, appPassword: 'unused' });
connector.settings.endpoint.verifyEndpoint = settings.metadata;

// The SDK's own store is a service that is gone; this one is in memory.
const bot = new calling.UniversalCallBot(connector, { storage: new calling.MemoryBotStorage() });
bot.on('error', (error) => say({ got: 'error', value: String(error) }));

bot.dialog('/', [
  (session) => {
    session.answer();
    session.send('Welcome.');
    calling.Prompts.choice(session, 'For digits press 1 or say digits. To leave a message press 2. To end press 3.', [
      { name: 'digits', dtmfVariation: '1', speechVariation: ['digits'] },
      { name: 'message', dtmfVariation: '2', speechVariation: ['message'] },
      { name: 'end', dtmfVariation: '3' },
    ], { initialSilenceTimeoutInSeconds: 3 });
  },
  (session, results) => {
    say({ got: 'choice', value: results.response ? results.response.entity : null });
    const dialogs = { digits: '/digits', message: '/message' };
    const next = results.response && dialogs[results.response.entity];
    if (next) {
      session.beginDialog(next);
    } else {
      session.endDialog('Goodbye.');
    }
  },
]);

bot.dialog('/digits', [
  (session) => calling.Prompts.digits(session, 'Key in your number, then pound.', 10, { stopTones: ['#'] }),
  (session, results) => {
    say({ got: 'digits', value: results.response || null });
    session.endDialog(results.response ? `Thank you for ${results.response.length} digits.` : 'No digits.');
  },
]);

bot.dialog('/message', [
  (session) => calling.Prompts.record(session, 'Speak after the beep.', {
    recordingFormat: 'wav', maxDurationInSeconds: 10, maxSilenceTimeoutInSeconds: 2, stopTones: ['#'],
  }),
  (session, results) => {
    const audio = results.response && results.response.recordedAudio;
    say({
      got: 'message',
      value: audio ? {
        bytes: audio.length,
        riff: audio.toString('latin1', 0, 4),
        seconds: results.response.lengthOfRecordingInSecs,
      } : null,
    });
    session.endDialog('Your message is kept.');
  },
]);

const handle = connector.listen();
const trouble = settings.trouble || 0; // So many requests are answered with a 503 first.
let refused = 0;
const server = http.createServer((request, response) => {
  asRestify(request, response);
  if (refused < trouble) {
    refused += 1;
    response.writeHead(503).end();
    return;
  }
  handle(request, response);
});
server.listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}/call`;
  connector.settings.callbackUrl = url;
  say({ url });
});
process.stdin.on('end', () => process.exit(0)).resume(); // whoever started it is gone
