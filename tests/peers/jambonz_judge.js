// What jambonz's own packages say of our documents and signatures: a JSON question a line, a JSON answer a line.
//
//   {"verbs": [...]}                                 as the feature server looks at a document before it runs it
//   {"header": "...", "body": "...", "secret": ""}   as an application on the vendor's SDK looks at a request
//
// The answer is null if it is right, else the complaint.
const {validate} = require('@jambonz/verb-specifications');
const {WebhookResponse} = require('@jambonz/node-client');

const quiet = {debug() {}, info() {}, error() {}};

function complaint(question) {
  try {
    if (question.verbs) validate(quiet, question.verbs);
    else {
      const request = {get: () => question.header, url: '/', body: Buffer.from(question.body, 'utf8')};
      let passed = false;
      WebhookResponse.verifyJambonzSignature(question.secret)(request, {}, () => { passed = true; });
      if (!passed) return 'not passed on';
    }
    return null;
  } catch (error) {
    return error.message;
  }
}

require('readline').createInterface({input: process.stdin}).on('line', (line) => {
  process.stdout.write(`${JSON.stringify(complaint(JSON.parse(line)))}\n`);
});
