// What the official Standard Webhooks library says of deliveries: lines of {secret, headers, body} come in, "fine TYPE" or "wrong WHY" go out.
"use strict";

const readline = require("readline");
const { Webhook } = require("standardwebhooks");

readline.createInterface({ input: process.stdin }).on("line", (line) => {
	const { secret, headers, body } = JSON.parse(line);

	try {
		console.log("fine " + new Webhook(secret).verify(body, headers).type);
	} catch (e) {
		console.log("wrong " + e.message);
	}
});
