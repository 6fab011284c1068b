// Microsoft's own clients at work: each job prints what it found as one line of JSON.
//
//   node --require ./led.cjs client.mjs JOB        SANDBOX: what the sandbox says of itself; ADDRESS: who signs in
import { randomUUID, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";

import { ConfidentialClientApplication, CryptoProvider, PublicClientApplication } from "@azure/msal-node";
import { Client } from "@microsoft/microsoft-graph-client";

const sandbox = JSON.parse(process.env.SANDBOX);
const address = process.env.ADDRESS;
const { client_id: clientId, client_secret: clientSecret, tenant } = sandbox.microsoft;
const scopes = ["User.Read", "Mail.ReadWrite", "Mail.Send", "Calendars.ReadWrite"];
const redirectUri = "https://app.contoso.example/callback";
const organisation = `https://login.microsoftonline.com/${process.env.AUTHORITY || "common"}`;

const confidential = (authority = organisation) => new ConfidentialClientApplication({ auth: { clientId, clientSecret, authority } });

// -- a browser, as far as these pages need one --------------------------------------------------------------------------------------------

const plain = (text) => text.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const attribute = (tag, name) => plain((tag.match(new RegExp(` ${name}="([^"]*)"`)) || [])[1] || "");

class Browser {
	cookies = "";

	async open(url, form) {
		const headers = { cookie: this.cookies, ...(form && { "content-type": "application/x-www-form-urlencoded" }) };
		const answer = await fetch(url, { method: form ? "POST" : "GET", body: form && String(form), headers, redirect: "manual" });
		const cookie = answer.headers.get("set-cookie");
		if (cookie)
			this.cookies = cookie.split(";")[0];
		return { url, status: answer.status, location: answer.headers.get("location"), text: await answer.text() };
	}

	// Presses a button of the page's form, as who is chosen.
	press(page, choices) {
		const form = page.text.match(/<form[^>]*action="([^"]*)"/);
		const fields = new URLSearchParams();
		for (const tag of page.text.match(/<input type="hidden"[^>]*>/g) || [])
			fields.set(attribute(tag, "name"), attribute(tag, "value"));
		for (const [name, value] of Object.entries(choices))
			fields.set(name, value);
		return this.open(new URL(plain(form[1]), page.url).href, fields);
	}

	// From the authorize page to what comes back to the application.
	async signIn(url, answer = "accept") {
		let page = await this.open(url);
		if (page.text.includes("Who are you?"))
			page = await this.press(page, { account: address, next: "1" });
		if (page.text.includes("Permissions requested"))
			page = await this.press(page, { answer });
		return page.location ? Object.fromEntries(new URL(page.location).searchParams) : { page: page.text };
	}
}

const signedIn = async (app, browser = new Browser(), more = {}) => {
	const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
	const nonce = randomUUID();
	const url = await app.getAuthCodeUrl({ scopes, redirectUri, codeChallenge: challenge, codeChallengeMethod: "S256", state: "s1", nonce, ...more });
	const back = await browser.signIn(url);
	const token = await app.acquireTokenByCode({ scopes, redirectUri, codeVerifier: verifier, code: back.code, state: back.state }, { ...back, nonce });
	return { token, back };
};

// -- jobs ---------------------------------------------------------------------------------------------------------------------------------

const jobs = {
	async code() {
		const app = confidential();
		const browser = new Browser();
		const { token, back } = await signedIn(app, browser);
		const again = await app.acquireTokenSilent({ account: token.account, scopes, forceRefresh: true });
		const silent = await browser.signIn(await app.getAuthCodeUrl({ scopes, redirectUri, prompt: "none", state: "s2" }));
		return { username: token.account.username, tid: token.tenantId, scopes: token.scopes, state: back.state, renewed: again.accessToken !== token.accessToken,
			silent: Boolean(silent.code) };
	},

	async declined() {
		const app = confidential();
		return new Browser().signIn(await app.getAuthCodeUrl({ scopes, redirectUri, state: "s3" }), "cancel");
	},

	async device() {
		const app = new PublicClientApplication({ auth: { clientId, authority: organisation } });
		const token = await app.acquireTokenByDeviceCode({
			scopes,
			deviceCodeCallback: async (code) => {
				const browser = new Browser();
				await browser.press(await browser.open(code.verificationUri), { code: code.userCode, account: address, answer: "accept" });
			},
		});
		return { username: token.account.username, scopes: token.scopes };
	},

	async itself() {
		const token = await confidential(`https://login.microsoftonline.com/${tenant}`).acquireTokenByClientCredential({ scopes: ["https://graph.microsoft.com/.default"] });
		const graph = Client.init({ authProvider: (done) => done(null, token.accessToken) });
		const inbox = await graph.api(`/users/${address}/mailFolders/inbox`).get();
		return { type: token.tokenType, inbox: inbox.displayName };
	},

	// by a certificate in the secret's place; KEY and CERTIFICATE are files
	async certified() {
		const certificate = new X509Certificate(readFileSync(process.env.CERTIFICATE));
		const app = new ConfidentialClientApplication({ auth: { clientId, authority: `https://login.microsoftonline.com/${tenant}`, clientCertificate: {
			thumbprintSha256: certificate.fingerprint256.replaceAll(":", ""), privateKey: readFileSync(process.env.KEY, "utf8") } } });
		try {
			const token = await app.acquireTokenByClientCredential({ scopes: ["https://graph.microsoft.com/.default"] });
			return { type: token.tokenType };
		} catch (e) {
			return { error: e.errorCode, text: String(e) };
		}
	},

	async mail() {
		const graph = await client();
		const me = await graph.api("/me").select("id,mail,assignedPlans").get();
		const subject = `Tökén ${randomUUID()}`;
		const before = await all(graph, "/me/mailFolders('inbox')/messages/delta");
		await graph.api("/me/sendMail").post({ message: { subject, body: { contentType: "text", content: "Hej ✓" },
			toRecipients: [{ emailAddress: { address } }], attachments: [{ "@odata.type": "#microsoft.graph.fileAttachment", name: "a.txt", contentBytes: "aGVq" }] } });
		const after = await all(graph, before.link);
		const id = after.items[0].id;
		const mime = await graph.api(`/me/messages/${id}/$value`).responseType("text").get();
		const found = await graph.api("/me/messages").filter(`subject eq '${subject}'`).select("subject,isRead,hasAttachments").get();
		await graph.api(`/me/messages/${id}`).patch({ isRead: true });
		const moved = await graph.api(`/me/messages/${id}/move`).post({ destinationId: "deleteditems" });
		const left = await all(graph, after.link);
		await graph.api(`/me/messages/${moved.id}`).delete();
		const raw = Buffer.from(`From: <${address}>\r\nTo: <${address}>\r\nSubject: as it is\r\n\r\nHej\r\n`).toString("base64");
		await graph.api("/me/sendMail").header("Content-Type", "text/plain").post(raw);
		return { mail: me.mail, plan: me.assignedPlans[0].service, first: before.items.length, pages: before.pages, came: after.items.map((m) => m.subject === subject),
			to: mime.includes(`To: <${address}>`), found: found.value.length, attached: found.value[0].hasAttachments,
			removed: left.items.map((m) => m["@removed"].reason), last: (await all(graph, left.link)).items.map((m) => m.subject),
			sent: (await graph.api("/me/mailFolders/sentitems/messages").get()).value.map((m) => m.subject === subject || m.subject) };
	},

	async immutable() {
		const graph = await client();
		const asked = (path) => graph.api(path).header("Prefer", 'IdType="ImmutableId"');
		const one = (await asked("/me/mailFolders/inbox/messages").top(1).get()).value[0];
		const moved = await asked(`/me/messages/${one.id}/move`).post({ destinationId: "archive" }).catch(() => asked(`/me/messages/${one.id}/move`).post({ destinationId: "junkemail" }));
		const usual = (await graph.api("/me/mailFolders/junkemail/messages").get()).value[0];
		return { same: moved.id === one.id, other: usual.id !== one.id, read: (await asked(`/me/messages/${one.id}`).get()).subject === one.subject };
	},

	async calendar() {
		const graph = await client();
		const window = { startDateTime: "2026-12-01T00:00:00Z", endDateTime: "2027-01-01T00:00:00Z" };
		const at = (dateTime) => ({ dateTime, timeZone: "UTC" });
		const calendars = await graph.api("/me/calendars").get();
		const first = await all(graph, `/me/calendarView/delta?${new URLSearchParams(window)}`);
		const made = await graph.api("/me/events").post({ subject: "Review", start: at("2026-12-01T10:00:00"), end: at("2026-12-01T11:00:00"),
			attendees: [{ type: "required", emailAddress: { address: "bert@contoso.example" } }],
			recurrence: { pattern: { type: "weekly", interval: 1, daysOfWeek: ["tuesday", "thursday"] }, range: { type: "numbered", startDate: "2026-12-01", numberOfOccurrences: 4 } } });
		const view = await graph.api("/me/calendarView").query(window).get();
		const news = await all(graph, first.link);
		await graph.api(`/me/events/${made.id}`).patch({ subject: "Reviewed" });
		const changed = await all(graph, news.link);
		await graph.api(`/me/events/${made.id}`).delete();
		const gone = await all(graph, changed.link);
		return { calendars: calendars.value.map((c) => c.name), days: view.value.map((e) => e.start.dateTime.slice(0, 10)), types: [...new Set(view.value.map((e) => e.type))],
			news: news.items.map((e) => e.subject), changed: changed.items.map((e) => e.subject), gone: gone.items.map((e) => e["@removed"].reason) };
	},

	async batch() {
		const graph = await client();
		const requests = [{ id: "1", method: "GET", url: "/me" }, { id: "2", method: "GET", url: "/me/mailFolders/inbox" }, { id: "3", method: "GET", url: "/me/messages/none" },
			{ id: "4", method: "GET", url: "/me/calendar", dependsOn: ["3"] }];
		const answer = await graph.api("/$batch").post({ requests });
		const many = await graph.api("/$batch").post({ requests: Array.from({ length: 21 }, (_, i) => ({ id: String(i), method: "GET", url: "/me" })) }).catch((e) => e.statusCode);
		return { order: answer.responses.map((r) => r.id), statuses: Object.fromEntries(answer.responses.map((r) => [r.id, r.status])), many };
	},

	// What the client makes of a refusal.
	async refused() {
		const graph = await client();
		const e = await graph.api(process.env.WHERE).get().catch((e) => e);
		return { code: e.code, status: e.statusCode, message: e.message };
	},
};

// -- the mailbox --------------------------------------------------------------------------------------------------------------------------

async function client() {
	const { token } = await signedIn(confidential());
	return Client.init({ authProvider: (done) => done(null, token.accessToken) });
}

// All pages, and the link that goes on from there.
async function all(graph, path) {
	const items = [];
	let pages = 0;
	for (let next = path; next; ) {
		const page = await graph.api(next).get();
		items.push(...page.value);
		pages++;
		if (!page["@odata.nextLink"])
			return { items, pages, link: page["@odata.deltaLink"] };
		next = page["@odata.nextLink"];
	}
}

try {
	console.log(JSON.stringify(await jobs[process.argv[2]]()));
} catch (e) {
	console.log(JSON.stringify({ error: e.errorCode || e.code || e.name, text: String(e.errorMessage || e.message), stack: e.stack }));
}
process.exit(0);
