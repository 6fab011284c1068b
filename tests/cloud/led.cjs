// Leads connections to where the sandbox is, as a resolver and another port would. Loaded before anything connects.
"use strict";
const tls = require("node:tls");
const places = JSON.parse(process.env.PLACES);
const real = tls.connect;

tls.connect = function (...args) {
	const o = typeof args[0] === "object" ? args[0] : null;
	const place = o && places[`${o.host || o.hostname}:${o.port}`];
	if (!place)
		throw new Error(`nobody is to be asked at ${o && (o.host || o.hostname)}:${o && o.port}`);
	args[0] = { ...o, servername: o.servername || o.host || o.hostname, host: place[0], port: place[1], lookup: undefined, path: undefined };
	return real.apply(this, args);
};
