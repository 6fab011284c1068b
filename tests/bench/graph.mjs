// Microsoft's own client going through a delta: each message into an object of ours, as the daemon's watch does.
//
//   node --require ./led.cjs graph.mjs URL
import { Client, PageIterator } from "@microsoft/microsoft-graph-client";

const client = Client.init({ authProvider: (done) => done(null, "bench") });
const began = process.hrtime.bigint();
const cpu = process.cpuUsage();
let messages = 0;
let bytes = 0;

const first = await client.api(process.argv[2]).header("Prefer", 'IdType="ImmutableId", odata.maxpagesize=250').get();
const pages = new PageIterator(client, first, (m) => {
	const ours = { id: m.id, subject: m.subject, from: m.from?.emailAddress?.address, messageId: m.internetMessageId, received: Date.parse(m.receivedDateTime) };
	messages += ours.received > 0;
	bytes += ours.id.length + ours.subject.length + ours.from.length + ours.messageId.length;
	return true;
});
await pages.iterate();

const used = process.cpuUsage(cpu);
console.log(JSON.stringify({ messages, bytes, seconds: Number(process.hrtime.bigint() - began) / 1e9, cpu: (used.user + used.system) / 1e6, peak: process.resourceUsage().maxRSS }));
