// A real OpenID provider at the paths where Microsoft's is, and beside it a Graph that takes the access tokens it gave and no others.
//
//   node provider.mjs        one line of JSON when it listens, then one for each thing that happened. SIGUSR2: no tokens for now, or again
//
// The environment says ADDRESS, CERT, KEY, LOGIN and GRAPH (host names), TENANT, CLIENT, SECRET, REDIRECT, LASTS (seconds), PEOPLE.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";

import Provider, { interactionPolicy } from "oidc-provider";

const { ADDRESS, CERT, KEY, LOGIN, GRAPH, TENANT, CLIENT, SECRET, REDIRECT, LASTS, PEOPLE } = process.env;
const people = PEOPLE.split(" ");
const rights = ["Mail.ReadWrite", "Mail.Send", "Calendars.Read", "Calendars.ReadWrite", "User.Read"].map((right) => `https://${GRAPH}/${right}`);

const tell = (event, more = {}) => process.stdout.write(JSON.stringify({ event, ...more }) + "\n");

// the same for the same address, in a token as in Graph
const idOf = (address) => createHash("sha256").update(address).digest("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");

// -- the provider ----------------------------------------------------------------------------------------------------------------------------

// Microsoft's word for "let the person pick"; it comes before all else
const policy = interactionPolicy.base();
policy.add(new interactionPolicy.Prompt({ name: "select_account", requestable: true }), 0);

const provider = new Provider(`https://${LOGIN}/${TENANT}/v2.0`, {
	clients: [{ client_id: CLIENT, client_secret: SECRET, redirect_uris: [REDIRECT], token_endpoint_auth_method: "client_secret_post",
		grant_types: ["authorization_code", "refresh_token"], response_types: ["code"] }],
	routes: {
		authorization: `/${TENANT}/oauth2/v2.0/authorize`,
		token: `/${TENANT}/oauth2/v2.0/token`,
		jwks: `/${TENANT}/discovery/v2.0/keys`,
	},
	scopes: ["openid", "offline_access", "profile", "email", ...rights],
	claims: { openid: ["sub", "tid", "oid"], profile: ["name", "preferred_username"], email: ["email"] },
	conformIdTokenClaims: false,
	findAccount: (_, address) => ({
		accountId: address,
		claims: () => ({ sub: idOf(`sub ${address}`), tid: TENANT, oid: idOf(address), preferred_username: address, email: address }),
	}),
	pkce: { required: () => true, methods: ["S256"] },
	// offline_access is only given with prompt=consent by the letter of OpenID; Microsoft gives it with any
	issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
	rotateRefreshToken: true,
	features: { devInteractions: { enabled: false } },
	interactions: { policy, url: (_, interaction) => `/interaction/${interaction.uid}` },
	ttl: { AccessToken: Number(LASTS), AuthorizationCode: 60, IdToken: 3600, RefreshToken: 86400, Grant: 86400, Interaction: 600, Session: 600 },
	cookies: { keys: ["of this test alone"] },
});

for (const event of ["authorization.success", "authorization.error", "grant.success", "grant.error", "grant.revoked", "server_error"])
	provider.on(event, (ctx, error) => tell(event, { type: ctx?.oidc?.params?.grant_type, why: error?.error_description || error?.message }));

// -- its pages: who are you, and may it? ---------------------------------------------------------------------------------------------------------

const bodyOf = async (request) => {
	let body = "";
	for await (const piece of request)
		body += piece;
	return body;
};

const page = async (request, response) => {
	const { uid, params } = await provider.interactionDetails(request, response);
	const boxes = people.map((who) => `<p><label><input type="radio" name="account" value="${who}">${who}</label></p>`).join("");
	response.setHeader("content-type", "text/html; charset=utf-8");
	response.end(`<!doctype html><title>Sign in</title><form method="post" action="/interaction/${uid}"><p>Who are you?</p>${boxes}
		<p>${params.scope}</p><button name="answer" value="accept">Accept</button><button name="answer" value="cancel">Cancel</button></form>`);
};

const pressed = async (request, response) => {
	const { params } = await provider.interactionDetails(request, response);
	const said = new URLSearchParams(await bodyOf(request));
	const accountId = said.get("account");
	if (said.get("answer") === "cancel")
		return provider.interactionFinished(request, response, { error: "access_denied", error_description: "The person declined." });
	const grant = new provider.Grant({ accountId, clientId: params.client_id });
	grant.addOIDCScope(`${params.scope} offline_access`);
	return provider.interactionFinished(request, response, { select_account: {}, login: { accountId }, consent: { grantId: await grant.save() } });
};

// -- Graph ---------------------------------------------------------------------------------------------------------------------------------------

// test messages, by their id
const mails = new Map();

const sent = (address, mime) => {
	const subject = Buffer.from(mime, "base64").toString().match(/^Subject: (.*)\r$/m)[1];
	mails.set(`m${mails.size}`, { subject, from: { emailAddress: { address } } });
};

const read = (url) => url.includes("/delta") ? { value: [], "@odata.deltaLink": `https://${GRAPH}/v1.0/me/mailFolders/inbox/messages/delta?$deltatoken=1` }
	: url.includes("/inbox/messages") ? { value: [...mails].map(([id, mail]) => ({ id, ...mail })) }
	: /mailFolders\/inbox|\/calendar/.test(url) ? { id: "x" } : { value: [] };

const one = ({ id, method, url }) => method === "GET" ? { id, status: 200, body: read(url) } : { id, status: mails.delete(url.split("/")[3]) ? 204 : 404 };

// the calendar, as far as a test event needs it: by id as they were written, with the moment
const windows = { "W. Europe Standard Time": "Europe/Berlin", "Eastern Standard Time": "America/New_York", "India Standard Time": "Asia/Kolkata" };
const events = new Map();

const clockIn = (at, zone) => new Date(at).toLocaleString("sv-SE", { timeZone: windows[zone] ?? zone }).replace(" ", "T");
const momentOf = ({ dateTime, timeZone }) => {
	const shown = Date.parse(`${dateTime.slice(0, 19)}Z`);
	return shown - (Date.parse(`${clockIn(shown, timeZone)}Z`) - shown);
};

const keep = (id, given) => {
	events.set(id, { ...events.get(id), ...given, id, at: momentOf(given.start) });
	return events.get(id);
};

const calendar = async (request, answer) => {
	const { pathname, searchParams } = new URL(request.url, `https://${GRAPH}`);
	const [, id, last] = pathname.slice("/v1.0/me/".length).split("/");

	if (pathname.endsWith("/calendarView")) {
		const [from, to] = ["startDateTime", "endDateTime"].map((name) => Date.parse(searchParams.get(name)));
		const zone = request.headers.prefer?.match(/outlook\.timezone="([^"]*)"/)?.[1] ?? "UTC";
		return answer(200, { value: [...events.values()].filter((e) => e.at >= from && e.at < to)
			.map((e) => ({ ...e, start: { dateTime: `${clockIn(e.at, zone)}.0000000`, timeZone: zone } })) });
	}
	if (!id)
		return request.method === "POST" ? answer(201, keep(`e${events.size}`, JSON.parse(await bodyOf(request)))) : answer(200, { value: [...events.values()] });
	if (request.method === "PATCH")
		return answer(200, keep(id, JSON.parse(await bodyOf(request))));
	return answer(last === "permanentDelete" && events.delete(id) ? 204 : 404);
};

const graph = async (request, response) => {
	const token = await provider.AccessToken.find((request.headers.authorization || "").replace("Bearer ", ""));
	const answer = (status, document) => {
		response.writeHead(status, { "content-type": "application/json" });
		response.end(document && JSON.stringify(document));
	};
	if (!token?.isValid || !token.scope.includes(rights[0])) {
		tell("graph.refused");
		return answer(401, { error: { code: "InvalidAuthenticationToken", message: "x" } });
	}
	if (request.url.startsWith("/v1.0/me?"))
		return answer(200, { id: idOf(token.accountId), mail: token.accountId, userPrincipalName: token.accountId });
	if (request.url === "/v1.0/me/sendMail") {
		sent(token.accountId, await bodyOf(request));
		return answer(202);
	}
	if (/^\/v1\.0\/me\/(events|calendarView)\b/.test(request.url))
		return await calendar(request, answer);
	if (request.url === "/v1.0/$batch")
		return answer(200, { responses: JSON.parse(await bodyOf(request)).requests.map(one) });
	return answer(200, read(request.url));
};

// -- who is told to come later ---------------------------------------------------------------------------------------------------------------------

let isDown = false;
process.on("SIGUSR2", () => {
	isDown = !isDown;
	tell(isDown ? "down" : "up");
});

const turnAway = (response) => {
	tell("turned.away");
	response.writeHead(503, { "content-type": "application/json" });
	response.end(JSON.stringify({ error: "temporarily_unavailable" }));
};

// -- both on one port ------------------------------------------------------------------------------------------------------------------------------

const answered = provider.callback();
const wellKnown = `/${TENANT}/v2.0/.well-known/openid-configuration`;

const server = createServer({ cert: readFileSync(CERT), key: readFileSync(KEY) }, async (request, response) => {
	try {
		if (request.headers.host === GRAPH)
			return await graph(request, response);
		if (request.url.startsWith("/interaction/"))
			return await (request.method === "POST" ? pressed : page)(request, response);
		if (isDown && request.method === "POST")
			return turnAway(response);
		if (request.url === wellKnown)
			request.url = "/.well-known/openid-configuration";
		return answered(request, response);
	} catch (error) {
		tell("broken", { why: String(error?.stack || error) });
		response.writeHead(500);
		return response.end();
	}
});
server.listen(0, ADDRESS, () => tell("listens", { port: server.address().port }));
