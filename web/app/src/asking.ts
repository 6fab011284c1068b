/* Something that is asked for again and again. What was heard last stays, whatever becomes of the next question. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Failure } from "./api";
import { page } from "./page";

export type Trouble = "unreached" | "over" | null;

export interface Asked<T> {
	value: T | null;
	asOf: number;
	trouble: Trouble;
	again(): Promise<void>;
	put(change: (value: T) => T): void;
}

interface Kept<T> {
	value: T;
	asOf: number;
}

/* For this tab only, so that a page that is loaded again while nothing can be reached still has something to show. */
const place = `mailmoor ${page.link} ${page.lang}`;

function kept<T>(): Kept<T> | null {
	try {
		return JSON.parse(sessionStorage.getItem(place) ?? "null");
	} catch {
		return null;
	}
}

function keep<T>(what: Kept<T> | null): void {
	try {
		if (what) {
			sessionStorage.setItem(place, JSON.stringify(what));
		} else {
			sessionStorage.removeItem(place);
		}
	} catch {
		/* full or forbidden: then it is not kept */
	}
}

const PATIENT = 30_000;

export function useAsking<T>(ask: () => Promise<T>, pause: (value: T) => number): Asked<T> {
	const [heard, setHeard] = useState<Kept<T> | null>(() => kept<T>());
	const [trouble, setTrouble] = useState<Trouble>(null);
	const latest = useRef({ ask, pause });
	const timer = useRef(0);
	const turn = useRef(0);
	const failures = useRef(0);

	latest.current = { ask, pause };

	const again = useCallback(async () => {
		const mine = ++turn.current;       /* an older answer must not come over a newer one */
		let next = 0;

		window.clearTimeout(timer.current);
		try {
			const value = await latest.current.ask();

			if (mine !== turn.current) {
				return;
			}
			failures.current = 0;
			setTrouble(null);
			setHeard({ value, asOf: Date.now() });
			keep({ value, asOf: Date.now() });
			next = latest.current.pause(value);
		} catch (error) {
			if (mine !== turn.current) {
				return;
			}
			if (error instanceof Failure && error.isOver) {
				keep(null);
				setTrouble("over");
				return;
			}
			failures.current += 1;
			setTrouble("unreached");
			next = Math.min(2000 * failures.current, PATIENT);
		}
		timer.current = window.setTimeout(again, next);
	}, []);

	useEffect(() => {
		const seen = () => {
			if (!document.hidden) {
				void again();
			}
		};

		void again();
		document.addEventListener("visibilitychange", seen);
		return () => {
			window.clearTimeout(timer.current);
			document.removeEventListener("visibilitychange", seen);
		};
	}, [again]);

	const put = useCallback((change: (value: T) => T) => {
		turn.current += 1;                 /* what is on its way was asked before this */
		setHeard((old) => old && { ...old, value: change(old.value) });
	}, []);

	return { value: heard?.value ?? null, asOf: heard?.asOf ?? 0, trouble, again, put };
}
