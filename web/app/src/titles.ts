/* Titles of the causes, asked for once and only when they are shown; without them the ids say it. */
import { useEffect, useState } from "preact/hooks";
import type { List } from "./api";
import { call, query } from "./api";

export type Titles = Record<string, string>;

let asked: Promise<Titles> | null = null;

function ask(): Promise<Titles> {
	asked ??= call<List<{ id: string; title: string }>>("GET", `causes?${query({})}`)
		.then((list) => Object.fromEntries(list.items.map((c) => [c.id, c.title])))
		.catch(() => {
			asked = null;
			return {};
		});
	return asked;
}

export function useTitles(wanted: boolean): Titles {
	const [titles, setTitles] = useState<Titles>({});

	useEffect(() => {
		if (wanted) {
			void ask().then(setTitles);
		}
	}, [wanted]);
	return titles;
}
