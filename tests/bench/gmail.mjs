// Google's own client going through what is new in a mailbox: each message into an object of ours, as the daemon's watch does.
//
//   node gmail.mjs ROOT_URL
import https from "node:https";

import { google } from "googleapis";

https.globalAgent = new https.Agent({ keepAlive: true, maxSockets: 1 });
const auth = new google.auth.OAuth2();
auth.setCredentials({ access_token: "bench", expiry_date: Date.now() + 3600e3 });
const gmail = google.gmail({ version: "v1", auth, rootUrl: process.argv[2], agent: https.globalAgent });
const began = process.hrtime.bigint();
const cpu = process.cpuUsage();
let messages = 0;
let bytes = 0;

const header = (m, name) => m.payload.headers.find((h) => h.name.toLowerCase() === name)?.value || "";
for (let pageToken, more = true; more; more = Boolean(pageToken)) {
	const page = await gmail.users.history.list({ userId: "me", startHistoryId: "1000", historyTypes: ["messageAdded", "labelAdded"], maxResults: 100, pageToken });
	for (const change of page.data.history || [])
		for (const { message } of change.messagesAdded || []) {
			const { data: m } = await gmail.users.messages.get({ userId: "me", id: message.id, format: "metadata", metadataHeaders: ["Subject", "From", "To", "Message-ID"] });
			const ours = { id: m.id, subject: header(m, "subject"), from: header(m, "from"), to: header(m, "to"), messageId: header(m, "message-id"), received: Number(m.internalDate) };
			messages += ours.received > 0;
			bytes += ours.id.length + ours.subject.length + ours.from.length + ours.messageId.length;
		}
	pageToken = page.data.nextPageToken;
}

const used = process.cpuUsage(cpu);
console.log(JSON.stringify({ messages, bytes, seconds: Number(process.hrtime.bigint() - began) / 1e9, cpu: (used.user + used.system) / 1e6, peak: process.resourceUsage().maxRSS }));
