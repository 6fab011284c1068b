/* What both pages are made of. */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import type { State } from "./api";
import type { Trouble } from "./asking";
import { clockTime, hasWord, phrase, word } from "./words";

const SIGNS: Record<State, [string, string]> = {
	connecting: ["waiting", "M12 6v6l4 2.5"],
	connected: ["good", "M5 12.5l4.5 4.5L19 7.5"],
	degraded: ["warn", "M12 5v9M12 18.5v.5"],
	needs_user: ["bad", "M6.5 6.5l11 11M17.5 6.5l-11 11"],
	needs_admin: ["bad", "M6.5 6.5l11 11M17.5 6.5l-11 11"],
	waiting: ["warn", "M12 6v6l4 2.5"],
	paused: ["still", "M9 6v12M15 6v12"],
	removed: ["still", "M6 12h12"],
};

export function stateWord(state: State): string {
	return hasWord(`app.state.${state}`) ? word(`app.state.${state}`) : state;
}

export function StateMark({ state }: { state: State }) {
	const [kind, path] = SIGNS[state] ?? SIGNS.removed;

	return (
		<span class={`state ${kind}`}>
			<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d={path} /></svg>
			{stateWord(state)}
		</span>
	);
}

/* That the API cannot be asked, in place, with the rest of the page as it was. */
export function TroubleNotice({ trouble, asOf, again }: { trouble: Trouble; asOf: number; again(): void }) {
	if (!trouble) {
		return null;
	}
	return (
		<div class="notice bad" role="alert">
			<p>{trouble === "over" ? word("app.over") : asOf ? phrase("app.unreached", { time: clockTime(asOf) }) : word("app.unreached.first")}</p>
			{trouble === "over" ? null : <p><button type="button" class="quiet small" onClick={again}>{word("result.again")}</button></p>}
		</div>
	);
}

/* The focus goes in, stays in, and comes back to where it was: all by the browser. */
export function Dialog({ title, close, children }: { title: ComponentChildren; close(): void; children: (end: () => void) => ComponentChildren }) {
	const ref = useRef<HTMLDialogElement>(null);
	const id = useId();
	const end = () => ref.current?.close();

	useLayoutEffect(() => ref.current?.showModal(), []);
	return (
		<dialog ref={ref} aria-labelledby={id} onClose={close}>
			<h2 id={id} tabIndex={-1} autoFocus>{title}</h2>
			{children(end)}
		</dialog>
	);
}
