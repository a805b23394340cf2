// What a bot on Microsoft's `botbuilder` 3.30 does with the Bot State service, which its users never saw: it saves and
// reads what it remembers of a user, of a conversation, and of the user in it.
//
//     node state_bot.js '{"appId": …, "appPassword": …, "login": URL, "state": URL, "gzip": false, "steps": [
//                          {"save": {"userData": …}}, {"read": true}]}'
//
// It prints one line for each step: {"error": null, "data": …}. Its tokens are the SDK's own affair.
'use strict';

const builder = require('botbuilder');

const settings = JSON.parse(process.argv[2]);
const connector = new builder.ChatConnector({
  appId: settings.appId,
  appPassword: settings.appPassword,
  stateEndpoint: settings.state,
  gzipData: settings.gzip,
});
connector.settings.endpoint.refreshEndpoint = settings.login;

const context = {
  address: { channelId: 'skype', serviceUrl: 'https://smba.trafficmanager.net/' },
  userId: '29:1iF/tp wQ',
  conversationId: '19:room@thread.skype',
  persistUserData: true,
  persistConversationData: true,
};

async function run(step) {
  return new Promise((resolve) => {
    const told = (error, data) => resolve({ error: error ? String(error) : null, data: data || null });
    if (step.save) {
      connector.saveData(context, step.save, told);
    } else {
      connector.getData(context, told);
    }
  });
}

(async () => {
  for (const step of settings.steps) {
    process.stdout.write(JSON.stringify(await run(step)) + '\n');
  }
})();
