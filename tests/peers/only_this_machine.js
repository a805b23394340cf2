'use strict';
// Loaded before a peer (`node --require`): nothing of it gets out of this machine, and what wanted to is told on stderr.

const dns = require('dns');
const net = require('net');

const HERE = /^(localhost|127(\.\d+){3}|::1|::ffff:127(\.\d+){3}|0\.0\.0\.0|::)$/;

function refused(host) {
  process.stderr.write(`wanted to reach: ${host}\n`);
  return Object.assign(new Error(`${host} is not on this machine`), { code: 'ENOTFOUND' });
}

const lookup = dns.lookup;
dns.lookup = function only(host, options, then) {
  const told = typeof options === 'function' ? options : then;
  if (!HERE.test(host)) {
    process.nextTick(told, refused(host));
    return {};
  }
  return lookup.call(dns, host, options, then);
};

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function only(...args) {
  const [first] = Array.isArray(args[0]) ? args[0] : args; // Node hands its own arguments on as one list
  const host = typeof first === 'object' && first !== null ? first.host : typeof args[1] === 'string' ? args[1] : null;
  if (host && net.isIP(host) && !HERE.test(host)) {
    process.nextTick(() => this.destroy(refused(host)));
    return this;
  }
  return connect.apply(this, args);
};

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function only(first, ...rest) { // without a host it would be every address there is
  if (typeof first === 'number' || typeof first === 'string') {
    const [host, ...others] = typeof rest[0] === 'string' ? rest : ['127.0.0.1', ...rest];
    return listen.call(this, first, host, ...others);
  }
  const options = first && typeof first === 'object' && !first.path ? { host: '127.0.0.1', ...first } : first;
  return listen.call(this, options, ...rest);
};
