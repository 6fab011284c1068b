/* Words of the catalogue, and times and numbers as the reader's language has them. */
import type { ComponentChildren } from "preact";
import { page } from "./page";

type Values = Record<string, ComponentChildren>;

let texts: Record<string, string> = {};

export async function loadWords(): Promise<void> {
	const answer = await fetch(page.texts, { credentials: "same-origin" });

	if (!answer.ok) {
		throw new Error(`texts: ${answer.status}`);
	}
	texts = await answer.json();
}

/* "app.add" is "page/app.add"; those of others are named in full: "ui/proof". */
export function word(key: string): string {
	return texts[key.includes("/") ? key : `page/${key}`] ?? key;
}

export function hasWord(key: string): boolean {
	return (key.includes("/") ? key : `page/${key}`) in texts;
}

/* A text with values in place of its {names}; these may be elements. */
export function phrase(key: string, values: Values): ComponentChildren[] {
	return word(key).split(/\{([a-z_]+)\}/).map((part, n) => (n % 2 ? values[part] : part));
}

/* The same as plain text, for labels and for what is said aloud. */
export function said(key: string, values: Record<string, string>): string {
	return phrase(key, values).join("");
}

/* What was filled by the server: `backticks` become code, and the URLs in `links`, nothing else, become links. */
export function prose(text: string, links: readonly string[]): ComponentChildren[] {
	return text.split("`").map((part, n) => (n % 2 ? <code translate={false}>{part}</code> : <>{linked(part, links)}</>));
}

/* A URL that a longer one begins with must not cut that one short. */
function linked(text: string, links: readonly string[]): ComponentChildren[] {
	const known = links.filter(isWeb).sort((a, b) => b.length - a.length);

	for (const link of known) {
		const at = text.indexOf(link);

		if (at >= 0) {
			return [...linked(text.slice(0, at), links), <a href={link} rel="noreferrer">{link}</a>, ...linked(text.slice(at + link.length), links)];
		}
	}
	return [text];
}

/* Addresses in answers are ours or the catalogue's; nothing but the web is made a link all the same. */
export function isWeb(link: string): boolean {
	return /^https?:\/\//.test(link);
}

/* -- times and numbers -- */

/* the calendar of the server's own pages, in Thai too */
const calendar = `${page.lang}-u-ca-gregory`;
const full = new Intl.DateTimeFormat(calendar, { dateStyle: "medium", timeStyle: "short" });
const clock = new Intl.DateTimeFormat(page.lang, { timeStyle: "medium" });
const ago = new Intl.RelativeTimeFormat(page.lang, { numeric: "auto" });
const figures = new Intl.NumberFormat(page.lang, { maximumFractionDigits: 1 });

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [["day", 86400], ["hour", 3600], ["minute", 60]];

function relative(ms: number): string {
	const seconds = Math.round((ms - Date.now()) / 1000);
	const fit = UNITS.find(([, size]) => Math.abs(seconds) >= size);

	return fit ? ago.format(Math.trunc(seconds / fit[1]), fit[0]) : ago.format(0, "second");
}

/* Near ones in relation to now, the others by date; either with the other beside it. */
export function Time({ at }: { at: string }) {
	const ms = Date.parse(at);

	return <time dateTime={at} title={full.format(ms)}>{Math.abs(ms - Date.now()) < 7 * 86400_000 ? relative(ms) : full.format(ms)}</time>;
}

export function dateTime(ms: number): string {
	return full.format(ms);
}

export function clockTime(ms: number): string {
	return clock.format(ms);
}

export function figure(n: number): string {
	return figures.format(n);
}
