// Google's own client at work: each job prints what it found as one line of JSON.
//
//   node --require ./led.cjs client.mjs JOB        SANDBOX: what the sandbox says of itself; ADDRESS: who signs in
import { Readable } from "node:stream";

import { google } from "googleapis";
import { CodeChallengeMethod } from "google-auth-library";

const sandbox = JSON.parse(process.env.SANDBOX);
const address = process.env.ADDRESS;
const { client_id: clientId, client_secret: clientSecret, service_account: keyFile } = sandbox.google;
const redirectUri = "https://app.contoso.example/callback";
const auth = (name) => `https://www.googleapis.com/auth/${name}`;
const all = "https://mail.google.com/";
const scopes = ["openid", "email", "profile", all, auth("gmail.settings.basic"), auth("calendar")];

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
		const location = answer.headers.get("location");
		if (location && new URL(location).host === "accounts.google.com")
			return this.open(location);
		return { url, location, text: await answer.text() };
	}

	press(page, choices, unticked = []) {
		const fields = new URLSearchParams();
		for (const tag of page.text.match(/<input [^>]*>/g) || []) {
			const type = attribute(tag, "type"), value = attribute(tag, "value");
			if (type === "hidden" || (type === "checkbox" && / checked/.test(tag) && !unticked.some((u) => value.endsWith(u))))
				fields.append(attribute(tag, "name"), value);
		}
		for (const [name, value] of Object.entries(choices))
			fields.set(name, value);
		return this.open(new URL(plain(page.text.match(/<form[^>]*action="([^"]*)"/)[1]), page.url).href, fields);
	}

	async signIn(url, { answer = "accept", unticked = [], who = address } = {}) {
		let page = await this.open(url);
		if (page.text.includes("Who are you?"))
			page = await this.press(page, { account: who, next: "1" });
		if (page.text.includes("Select what"))
			page = await this.press(page, { answer }, unticked);
		return page.location ? Object.fromEntries(new URL(page.location).searchParams) : { page: page.text, at: page.url };
	}
}

const client = () => new google.auth.OAuth2(clientId, clientSecret, redirectUri);

async function signedIn(oauth, browser = new Browser(), more = {}, how = {}) {
	const { codeVerifier, codeChallenge } = await oauth.generateCodeVerifierAsync();
	const url = oauth.generateAuthUrl({ access_type: "offline", scope: scopes, state: "s1", login_hint: address, prompt: "consent",
		code_challenge: codeChallenge, code_challenge_method: CodeChallengeMethod.S256, ...more });
	const back = await browser.signIn(url, how);
	if (!back.code)
		return { back };
	const { tokens } = await oauth.getToken({ code: back.code, codeVerifier });
	oauth.setCredentials(tokens);
	return { back, tokens };
}

const own = async (scope = scopes) => {
	const oauth = client();
	await signedIn(oauth, new Browser(), { scope });
	return oauth;
};

const raw = (text) => Buffer.from(text.replaceAll("\n", "\r\n")).toString("base64url");
const refusal = (e) => ({ status: e.response?.status, reason: e.errors?.[0]?.reason || e.response?.data?.error, text: e.message,
	description: e.response?.data?.error_description, challenge: e.response?.headers?.["www-authenticate"] });
const refused = (promise) => promise.then(() => null, refusal);

// -- jobs ---------------------------------------------------------------------------------------------------------------------------------

const jobs = {
	async code() {
		const oauth = client(), browser = new Browser();
		const { back, tokens } = await signedIn(oauth, browser);
		const claims = (await oauth.verifyIdToken({ idToken: tokens.id_token, audience: clientId })).getPayload();
		const told = await oauth.getTokenInfo(tokens.access_token);
		const who = (await google.oauth2({ version: "v2", auth: oauth }).userinfo.get()).data;
		const { credentials } = await oauth.refreshAccessToken();
		const again = await signedIn(client(), browser, { prompt: undefined });
		const url = client().generateAuthUrl({ scope: scopes, prompt: "none", state: "s2" });
		const silent = await browser.signIn(url), nobody = await new Browser().signIn(url);
		await oauth.revokeToken(tokens.refresh_token);
		return { state: back.state, hd: back.hd, claims: [claims.email, claims.hd, claims.iss], told: [told.email, told.aud === clientId], who: who.email,
			refresh: Boolean(tokens.refresh_token), scope: tokens.scope.split(" ").length, renewed: credentials.access_token !== tokens.access_token,
			again: [Boolean(again.tokens.access_token), Boolean(again.tokens.refresh_token)], silent: Boolean(silent.code), nobody: nobody.error,
			revoked: (await refused(oauth.refreshAccessToken()))?.description, dead: (await refused(oauth.revokeToken(tokens.refresh_token)))?.reason };
	},

	async refusals() {
		const declined = await signedIn(client(), new Browser(), {}, { answer: "cancel" });
		const some = await signedIn(client(), new Browser(), {}, { unticked: ["/calendar"] });
		const one = await signedIn(client(), new Browser(), { scope: ["openid", all] }, { unticked: ["/"] });
		const oauth = client();
		const { codeVerifier, codeChallenge } = await oauth.generateCodeVerifierAsync();
		const begun = async () => (await new Browser().signIn(oauth.generateAuthUrl({ scope: scopes, code_challenge: codeChallenge,
			code_challenge_method: CodeChallengeMethod.S256, prompt: "consent" }))).code;
		const online = (await oauth.getToken({ code: await begun(), codeVerifier })).tokens;
		const code = await begun();
		const wrong = await refused(oauth.getToken({ code, codeVerifier: "x".repeat(50) })), missing = await refused(oauth.getToken({ code }));
		await oauth.getToken({ code, codeVerifier });
		const twice = await refused(oauth.getToken({ code, codeVerifier }));
		const other = new google.auth.OAuth2(clientId, "GOCSPX-wrong", redirectUri);
		return { declined: declined.back, some: some.tokens.scope.includes(auth("calendar")), one: one.tokens.scope.includes(all), online: Boolean(online.refresh_token),
			wrong: wrong.description, missing: missing.description, twice: twice.description, secret: (await refused(other.getToken({ code }))).description };
	},

	async mail() {
		const gmail = google.gmail({ version: "v1", auth: await own() }), userId = "me";
		const profile = (await gmail.users.getProfile({ userId })).data;
		const labels = (await gmail.users.labels.list({ userId })).data.labels;
		const sender = (await gmail.users.settings.sendAs.list({ userId })).data.sendAs;
		const sent = (await gmail.users.messages.send({ userId, requestBody: { raw: raw(`From: somebody@else.example
To: ${address}
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
MIME-Version: 1.0
Message-ID: <1.kettle@contoso.example>
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8

Guten Tag.
--b
Content-Type: application/octet-stream; name=a.bin
Content-Disposition: attachment; filename=a.bin
Content-Transfer-Encoding: base64

AAECAwQ=
--b--
`) } })).data;
		const found = (await gmail.users.messages.list({ userId, q: "rfc822msgid:1.kettle@contoso.example" })).data.messages;
		const full = (await gmail.users.messages.get({ userId, id: sent.id })).data;
		const text = Buffer.from(full.payload.parts[0].body.data, "base64url").toString();
		const file = full.payload.parts[1];
		const bytes = (await gmail.users.messages.attachments.get({ userId, messageId: sent.id, id: file.body.attachmentId })).data.data;
		const some = (await gmail.users.messages.get({ userId, id: sent.id, format: "metadata", metadataHeaders: ["Subject"] })).data;
		const whole = (await gmail.users.messages.get({ userId, id: sent.id, format: "raw" })).data.raw;
		const answer = (await gmail.users.messages.send({ userId, media: { mimeType: "message/rfc822", body: Readable.from([
			`To: ${address}\r\nSubject: Re\r\nIn-Reply-To: <1.kettle@contoso.example>\r\n\r\nThank you.\r\n`]) } })).data;
		const label = (await gmail.users.labels.create({ userId, requestBody: { name: "Kettles" } })).data;
		const moved = (await gmail.users.messages.modify({ userId, id: sent.id, requestBody: { addLabelIds: [label.id], removeLabelIds: ["UNREAD"] } })).data;
		const trashed = (await gmail.users.messages.trash({ userId, id: sent.id })).data;
		await gmail.users.messages.delete({ userId, id: answer.id });
		const types = [];
		let pageToken, last, pages = 0;
		do {
			const page = (await gmail.users.history.list({ userId, startHistoryId: profile.historyId, maxResults: 3, pageToken })).data;
			for (const h of page.history || [])
				types.push(Object.keys(h).filter((k) => /^(messagesA|messagesD|labels)/.test(k)).join());
			pageToken = page.nextPageToken;
			last = page.historyId;
			pages++;
		} while (pageToken);
		const none = (await gmail.users.history.list({ userId, startHistoryId: last })).data;
		const added = (await gmail.users.history.list({ userId, startHistoryId: profile.historyId, historyTypes: ["messageAdded"] })).data.history;
		return { profile: [profile.emailAddress, profile.messagesTotal], labels: labels.filter((l) => l.type === "system").length, sender: sender.map((s) => s.isDefault),
			sent: sent.labelIds.sort(), found: found.map((m) => m.id === sent.id), from: full.payload.headers.find((h) => h.name === "From").value.includes(address),
			text: text.trim(), file: [file.filename, bytes], some: some.payload.headers.map((h) => h.name), whole: Buffer.from(whole, "base64url").includes("kettle"),
			thread: answer.threadId === sent.id, moved: [moved.labelIds.includes(label.id), moved.labelIds.includes("UNREAD")],
			trashed: [trashed.labelIds.includes("TRASH"), trashed.labelIds.includes("INBOX")], gone: (await refused(gmail.users.messages.get({ userId, id: answer.id }))).status,
			types, pages: pages > 1, none: none.history === undefined, added: added.length,
			old: (await refused(gmail.users.history.list({ userId, startHistoryId: "1" }))).reason };
	},

	async pages() {
		const gmail = google.gmail({ version: "v1", auth: await own() }), userId = "me", ids = new Set();
		let pageToken, pages = 0;
		do {
			const page = (await gmail.users.messages.list({ userId, maxResults: 10, pageToken })).data;
			page.messages.forEach((m) => ids.add(m.id));
			pageToken = page.nextPageToken;
			pages++;
		} while (pageToken);
		return { ids: ids.size, pages };
	},

	async watch() {
		const gmail = google.gmail({ version: "v1", auth: await own() }), userId = "me";
		const { data } = await gmail.users.watch({ userId, requestBody: { topicName: "projects/mailmoor-sandbox/topics/t", labelIds: ["INBOX"] } });
		await gmail.users.stop({ userId });
		return { days: Math.round((data.expiration - Date.now()) / 86400000), history: Boolean(data.historyId),
			other: await refused(gmail.users.watch({ userId, requestBody: { topicName: "projects/other/topics/t" } })) };
	},

	async batch() {
		const oauth = await own();
		const gmail = google.gmail({ version: "v1", auth: oauth });
		const { messages } = (await gmail.users.messages.list({ userId: "me" })).data;
		const paths = [...messages.map((m) => `messages/${m.id}?format=metadata`), "messages/18c00001000fffff"];
		const data = paths.map((p, n) => `--b\r\nContent-Type: application/http\r\nContent-ID: <${n}>\r\n\r\nGET /gmail/v1/users/me/${p}\r\n\r\n`).join("") + "--b--\r\n";
		const answer = await oauth.request({ url: "https://gmail.googleapis.com/batch/gmail/v1", method: "POST", data, responseType: "text", headers: { "content-type": "multipart/mixed; boundary=b" } });
		return { statuses: answer.data.match(/HTTP\/1\.1 (\d+)/g).map((s) => s.slice(9)), ids: answer.data.match(/response-\d+/g) };
	},

	async calendar() {
		const calendar = google.calendar({ version: "v3", auth: await own() }), calendarId = "primary";
		const list = (await calendar.calendarList.list()).data;
		const zone = (await calendar.calendars.get({ calendarId })).data.timeZone;
		const first = (await calendar.events.list({ calendarId, maxResults: 1 })).data;
		const one = (await calendar.events.insert({ calendarId, requestBody: { id: "kettle0001", summary: "Review", visibility: "private",
			start: { dateTime: "2026-12-01T10:00:00", timeZone: "Asia/Bangkok" }, end: { dateTime: "2026-12-01T11:00:00", timeZone: "Asia/Bangkok" },
			extendedProperties: { private: { of: "us" } } } })).data;
		const twice = await refused(calendar.events.insert({ calendarId, requestBody: { ...one, id: "kettle0001" } }));
		const series = (await calendar.events.insert({ calendarId, requestBody: { summary: "Daily", start: { dateTime: "2026-12-02T09:00:00+01:00", timeZone: "Europe/Berlin" },
			end: { dateTime: "2026-12-02T09:30:00+01:00", timeZone: "Europe/Berlin" }, recurrence: ["RRULE:FREQ=DAILY;COUNT=3"] } })).data;
		const day = (await calendar.events.insert({ calendarId, requestBody: { summary: "Day", start: { date: "2026-12-05" }, end: { date: "2026-12-06" } } })).data;
		const there = (await calendar.events.get({ calendarId, eventId: one.id, timeZone: "America/New_York" })).data;
		const single = (await calendar.events.list({ calendarId, singleEvents: true, orderBy: "startTime", timeMin: "2026-12-01T00:00:00Z", timeMax: "2026-12-31T00:00:00Z" })).data;
		const mine = (await calendar.events.list({ calendarId, privateExtendedProperty: ["of=us"] })).data.items;
		const pages = [];
		let syncToken, pageToken;
		do {
			const page = (await calendar.events.list({ calendarId, maxResults: 2, pageToken })).data;
			pages.push(page.items.length);
			({ nextPageToken: pageToken, nextSyncToken: syncToken } = page);
		} while (pageToken);
		const patched = (await calendar.events.patch({ calendarId, eventId: series.id, requestBody: { summary: "Each day" } })).data;
		const clash = await refused(calendar.events.patch({ calendarId, eventId: series.id, requestBody: {} }, { headers: { "If-Match": series.etag } }));
		await calendar.events.delete({ calendarId, eventId: one.id });
		const news = (await calendar.events.list({ calendarId, syncToken })).data;
		const none = (await calendar.events.list({ calendarId, syncToken: news.nextSyncToken })).data;
		const busy = (await calendar.freebusy.query({ requestBody: { timeMin: "2026-12-02T00:00:00Z", timeMax: "2026-12-03T00:00:00Z",
			items: [{ id: address }, { id: "nobody@fabrikam.example" }] } })).data.calendars;
		return { list: list.items.map((c) => [c.id, c.primary, c.accessRole]), zone, first: Boolean(first.items[0].iCalUID), start: one.start, twice: twice.reason,
			series: series.recurrence, day: day.start, there: there.start, single: single.items.map((e) => e.start.dateTime || e.start.date),
			of: single.items.some((e) => e.recurringEventId === series.id), mine: mine.map((e) => e.id), pages, patched: patched.summary, clash: clash.status,
			news: news.items.map((e) => [e.summary, e.status]), none: none.items.length, busy: busy[address].busy, nobody: busy["nobody@fabrikam.example"].errors[0].reason,
			mixed: (await refused(calendar.events.list({ calendarId, syncToken, q: "x" }))).status, bad: await refused(calendar.events.list({ calendarId, syncToken: "no" })),
			gone: (await refused(calendar.events.delete({ calendarId, eventId: one.id }))).status };
	},

	async service() {
		const jwt = (subject, scope = [all, auth("calendar")]) => new google.auth.JWT({ keyFile, scopes: scope, subject });
		const gmail = google.gmail({ version: "v1", auth: jwt(address) });
		const profile = (await gmail.users.getProfile({ userId: "me" })).data;
		const calendars = (await google.calendar({ version: "v3", auth: jwt(address) }).calendarList.list()).data.items;
		return { profile: profile.emailAddress, calendars: calendars.length, nobody: await refused(jwt("nobody@contoso.example").authorize()),
			scope: await refused(jwt(address, ["https://www.googleapis.com/auth/nonsense"]).authorize()),
			itself: await refused(google.gmail({ version: "v1", auth: jwt() }).users.getProfile({ userId: "me" })) };
	},

	async refused() {
		const oauth = await own((process.env.SCOPES || scopes.join(" ")).split(" "));
		return refused(oauth.request({ url: process.env.WHERE, retry: false }));
	},
};

const job = jobs[process.argv[2]];
job().then((found) => console.log(JSON.stringify(found)), (e) => console.log(JSON.stringify({ error: e.message, at: e.stack?.split("\n")[1], data: e.response?.data })));
