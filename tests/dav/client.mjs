// tsdav at work on one account: `node --require led.cjs client.mjs SERVER USER PASSWORD`. One JSON object with all that it saw.
import { createDAVClient } from "tsdav";

const [serverUrl, username, password] = process.argv.slice(2);
const event = (uid, title, at) => ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", "BEGIN:VEVENT", `UID:${uid}`, "DTSTAMP:20260101T000000Z",
	`DTSTART:${at}`, "DURATION:PT1H", `SUMMARY:${title}`, "END:VEVENT", "END:VCALENDAR", ""].join("\r\n");
const seen = {};

const client = await createDAVClient({ serverUrl, credentials: { username, password }, authMethod: "Basic", defaultAccountType: "caldav" });
const found = await client.fetchCalendars();
seen.calendars = found.map(c => ({ name: c.displayName, url: c.url, components: c.components, reports: c.reports, ctag: !!c.ctag, syncToken: !!c.syncToken }));
const calendar = found.find(c => c.components.includes("VEVENT"));
seen.atFirst = (await client.fetchCalendarObjects({ calendar })).map(o => o.data);

const made = await client.createCalendarObject({ calendar, filename: "one.ics", iCalString: event("one@test", "First", "20300105T100000Z") });
seen.made = [made.status, !!made.headers.get("etag")];
seen.again = (await client.createCalendarObject({ calendar, filename: "one.ics", iCalString: event("one@test", "First", "20300105T100000Z") })).status;
seen.sameUid = (await client.createCalendarObject({ calendar, filename: "two.ics", iCalString: event("one@test", "First", "20300105T100000Z") })).status;
seen.noEvent = (await client.createCalendarObject({ calendar, filename: "bad.ics", iCalString: "BEGIN:NOTHING" })).status;

const inRange = (start, end) => client.fetchCalendarObjects({ calendar, timeRange: { start, end } });
const [one] = await inRange("2030-01-05T00:00:00Z", "2030-01-06T00:00:00Z");
seen.inRange = one.data.includes("SUMMARY:First");
seen.outOfRange = (await inRange("2030-02-05T00:00:00Z", "2030-02-06T00:00:00Z")).length;

const before = (await client.fetchCalendars()).find(c => c.url === calendar.url);
seen.updated = (await client.updateCalendarObject({ calendarObject: { ...one, data: event("one@test", "Second", "20300105T110000Z") } })).status;
seen.stale = (await client.updateCalendarObject({ calendarObject: { ...one, data: event("one@test", "Third", "20300105T120000Z") } })).status;
seen.changes = (await client.syncCollection({ url: calendar.url, props: { "d:getetag": {} }, syncLevel: 1, syncToken: before.syncToken })).map(r => [r.status, r.href]);
seen.isDirty = (await client.isCollectionDirty({ collection: before })).isDirty;

const [now] = await inRange("2030-01-05T00:00:00Z", "2030-01-06T00:00:00Z");
seen.now = now.data.includes("SUMMARY:Second");
seen.busy = await (async () => {
	try {
		return (await client.freeBusyQuery({ url: calendar.url, timeRange: { start: "2030-01-05T00:00:00Z", end: "2030-01-06T00:00:00Z" } })).raw ?? "";
	} catch (e) {
		return String(e);
	}
})();
seen.removed = (await client.deleteCalendarObject({ calendarObject: now })).status;
seen.gone = (await client.syncCollection({ url: calendar.url, props: { "d:getetag": {} }, syncLevel: 1, syncToken: before.syncToken })).map(r => [r.status, r.href]);

const home = calendar.url.replace(/[^/]+\/$/, "");
seen.makeCalendar = (await client.makeCalendar({ url: `${home}new/`, props: { "d:displayname": "New one" } })).map(r => r.status);
seen.names = (await client.fetchCalendars()).map(c => c.displayName);
console.log(JSON.stringify(seen));
