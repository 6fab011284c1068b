/* The ordinary API, with the session's cookie and the page's token. */
import { page } from "./page";

const PATIENCE = 20_000;

/* status 0: no answer came, or none that makes sense. */
export class Failure extends Error {
	constructor(readonly status: number) {
		super(`status ${status}`);
	}

	/* The session is over, or another page has taken its place: asking again is no use. */
	get isOver(): boolean {
		return this.status === 401 || this.status === 403;
	}
}

async function answered(method: string, path: string, body: unknown, signal: AbortSignal): Promise<unknown> {
	const headers: Record<string, string> = { Accept: "application/json", "X-CSRF-Token": page.csrf };

	if (body !== undefined) {
		headers["Content-Type"] = "application/json";
	}
	const answer = await fetch(`/v1/${path}`, {
		method, headers, signal, credentials: "same-origin", cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body),
	});

	if (!answer.ok) {
		throw new Failure(answer.status);
	}
	return answer.status === 204 ? undefined : answer.json();
}

export async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
	const stop = new AbortController();
	const timer = window.setTimeout(() => stop.abort(), PATIENCE);

	try {
		return await answered(method, path, body, stop.signal) as T;
	} catch (error) {
		throw error instanceof Failure ? error : new Failure(0);
	} finally {
		window.clearTimeout(timer);
	}
}

export function query(values: Record<string, string | undefined>): string {
	const q = new URLSearchParams({ lang: page.lang });

	for (const [name, value] of Object.entries(values)) {
		if (value) {
			q.set(name, value);
		}
	}
	return q.toString();
}

/* -- what it answers (docs/openapi.yaml), as far as it is used here -- */

export type State = "connecting" | "connected" | "degraded" | "needs_user" | "needs_admin" | "waiting" | "paused" | "removed";

export interface Cause {
	id: string;
	title: string;
	why: string;
	fix: string[];
	who: string;
	certainty: string;
	links: string[];
	help: string;
}

export interface Account {
	id: string;
	address: string;
	provider: string;
	state: State;
	since: string;
	next_try: string | null;
	last_ok: string | null;
	cause: Cause | null;
	incident: string | null;
}

/* What stays at the provider of a removed one; nothing is answered where nothing does. */
export interface Removal {
	left: { text: string }[];
}

export interface List<T> {
	items: T[];
	next: string | null;
}

export interface Fact {
	step?: string;
	fact: string;
	value: string;
}

export interface Report {
	causes: { id: string; title: string; proof: Fact[] }[];
	ruled_out: { id: string; by: Fact }[];
}

export interface Step {
	id: string;
	label: string;
	state: "running" | "passed" | "failed" | "warned" | "skipped";
	text?: string;
}

export interface Progress {
	done: boolean;
	state: State;
	steps: Step[];
}

export interface Link {
	url: string;
	expires: string;
}

export interface Incident {
	id: string;
	host: string;
	cause: string;
	who: string;
	opened: string;
	accounts: number;
}

export interface Overview {
	accounts: { state: State; cause: string | null; count: number }[];
	incidents: Incident[];
	keeper: Record<"parked" | "opening" | "waiting" | "verifying" | "connects" | "losses" | "messages", number>;
	webhooks: { waiting: number; given_up: number };
	store: { writable: boolean; commits: number };
	egress: { address: string; how: "configured" | "ehlo" | "received"; seen_once: boolean; hosts: string[] }[];
	egress_stray: string[];
	started: string;
}
