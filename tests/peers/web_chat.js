'use strict';
// Direct Line by offline-directline, and a page with Microsoft's Web Chat on it, in one process at one port.
// Takes the bot's address; writes its own as JSON.

const http = require('http');
const path = require('path');
const offline = require('offline-directline');
const express = require(require.resolve('express', { paths: [require.resolve('offline-directline')] }));

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Web Chat</title>
<link rel="icon" href="data:,">
<style>html, body, #chat { height: 100%; margin: 0 }</style>
<div id="chat"></div>
<script src="/webchat.js"></script>
<script>
  const directLine = WebChat.createDirectLine({
    domain: location.origin + '/directline', token: 'none', webSocket: false, pollingInterval: 200,
  });
  WebChat.renderWebChat({ directLine, userID: 'somebody', locale: 'en-US' }, document.querySelector('#chat'));
</script>
`;

const said = console.log;
console.log = () => {}; // offline-directline tells of each conversation

const app = express();
const server = http.createServer(app).listen(0, '127.0.0.1', () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  app.get('/', (request, response) => response.type('html').send(PAGE));
  app.get('/webchat.js', (request, response) => response.sendFile(
    path.resolve(__dirname, 'node_modules/botframework-webchat/dist/webchat.js'),
  ));
  app.use(offline.getRouter(url, process.argv[2]));
  said(JSON.stringify({ url }));
});
process.stdin.on('end', () => process.exit(0)).resume(); // whoever started it is gone
