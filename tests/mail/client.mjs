// Clients of IMAP and SMTP at work: each job prints what it found as one line of JSON.
//
//   node client.mjs JOB        IMAP, SMTP: {host, port, name, secure} of the servers; USER, PASSWORD; CA: a file
import { readFileSync } from "node:fs";

import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";

const ca = readFileSync(process.env.CA);
const imapAt = JSON.parse(process.env.IMAP), smtpAt = JSON.parse(process.env.SMTP);
const { USER: user, PASSWORD: pass } = process.env;

const imap = () => new ImapFlow({ host: imapAt.host, port: imapAt.port, secure: imapAt.secure, doSTARTTLS: !imapAt.secure, servername: imapAt.name,
	tls: { ca, servername: imapAt.name }, auth: { user, pass }, logger: false });
const smtp = () => nodemailer.createTransport({ host: smtpAt.host, port: smtpAt.port, secure: smtpAt.secure, requireTLS: true,
	tls: { ca, servername: smtpAt.name }, auth: { user, pass } });

const letter = (subject) => ({ from: user, to: user, subject, text: "Grüße aus Köln.\n.a dot in front\n", html: "<p>Grüße</p>",
	attachments: [{ filename: "Ümläut.txt", content: "attached" }] });

const jobs = {
	async read() {
		const client = imap();
		await client.connect();
		const folders = (await client.list()).map((f) => [f.path, f.specialUse || ""]);
		const status = await client.status("INBOX", { messages: true, unseen: true, uidNext: true, uidValidity: true });
		const lock = await client.getMailboxLock("INBOX");
		const seen = [];
		for await (const m of client.fetch("1:*", { uid: true, flags: true, envelope: true, bodyStructure: true, source: true, internalDate: true, size: true }))
			seen.push({ uid: m.uid, subject: m.envelope.subject, from: m.envelope.from[0].address, to: m.envelope.to[0].address, type: m.bodyStructure.type,
				whole: m.source.length === m.size, dated: m.internalDate instanceof Date || !Number.isNaN(Date.parse(m.internalDate)) });
		const found = await client.search({ subject: "Invoice" }, { uid: true });
		const none = await client.search({ seen: true, from: "nobody@" }, { uid: true });
		const part = await client.download(String(seen[2].uid), "1", { uid: true });
		let text = "";
		for await (const piece of part.content)
			text += piece;
		await client.messageFlagsAdd(String(seen[0].uid), ["\\Seen", "\\Flagged"], { uid: true });
		const flagged = await client.search({ flagged: true }, { uid: true });
		const put = await client.append("Drafts", "Subject: a draft\r\n\r\nText.\r\n", ["\\Draft"]);
		await client.mailboxCreate("Things/Old");
		const moved = await client.messageMove(String(seen[0].uid), "Things/Old", { uid: true });
		await client.messageDelete(String(seen[1].uid), { uid: true });
		const left = client.mailbox.exists;
		lock.release();
		const there = (await client.list()).map((f) => f.path).includes("Things/Old");
		await client.logout();
		return { folders, status: { ...status, uidValidity: String(status.uidValidity) }, seen, found, none, text, flagged, put: put.destination || put.path, moved: moved.uidMap.size, left, there };
	},

	async send() {
		const client = imap();
		await client.connect();
		const lock = await client.getMailboxLock("INBOX");
		const told = new Promise((resolve) => client.on("exists", (e) => resolve([e.prevCount, e.count])));
		client.idle();      // until the next command
		const sent = await smtp().sendMail(letter("sent by nodemailer"));
		const news = await told;
		const [uid] = await client.search({ header: { "message-id": sent.messageId } }, { uid: true });
		const m = await client.fetchOne(String(uid), { envelope: true, bodyStructure: true, source: true }, { uid: true });
		const parts = [];
		const walk = (p) => p.childNodes ? p.childNodes.forEach(walk) : parts.push([p.part, p.type]);
		walk(m.bodyStructure);
		const text = await client.download(String(uid), "1.1", { uid: true });
		let plain = "";
		for await (const piece of text.content)
			plain += piece;
		lock.release();
		await client.logout();
		return { accepted: sent.accepted, response: sent.response, news, subject: m.envelope.subject, parts, plain };
	},

	async refused() {
		const client = imap();
		const opened = await client.connect().then(() => null, (e) => ({ failed: e.authenticationFailed === true, text: e.responseText || e.message, code: e.serverResponseCode || "" }));
		const sent = await smtp().sendMail(letter("never sent")).then(() => null, (e) => ({ code: e.code, response: e.response, number: e.responseCode }));
		return { opened, sent };
	},
};

jobs[process.argv[2]]().then((found) => console.log(JSON.stringify(found)), (e) => console.log(JSON.stringify({ error: String(e), stack: e.stack, response: e.responseText })))
	.finally(() => process.exit());
