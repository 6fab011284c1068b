// events.mjs URL KEY [LAST] -- a stock reader of server-sent events; one line for each that came.
import { EventSource } from 'eventsource';

const [url, key, last] = process.argv.slice(2);
let first = last;

const source = new EventSource(url, {
	fetch: (to, init) => {
		const headers = { ...init.headers, Authorization: `Bearer ${key}` };

		if (first)
			headers['Last-Event-ID'] ??= first;
		first = undefined;
		return fetch(to, { ...init, headers });
	},
});

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const types = process.env.TYPES.split(' ');

source.onopen = () => say({ open: true });
source.onerror = (e) => say({ error: e.message ?? 'lost', code: e.code, state: source.readyState });
for (const type of types)
	source.addEventListener(type, (e) => say({ id: e.lastEventId, type, data: JSON.parse(e.data) }));
