/* Settings › General › Email: the mailboxes of a workspace. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Action } from "./account";
import { AccountCard } from "./account";
import type { Account, Link, List, Removal } from "./api";
import { call, Failure, query } from "./api";
import { useAsking } from "./asking";
import { page } from "./page";
import { Dialog, stateWord, TroubleNotice } from "./parts";
import { dateTime, phrase, prose, said, word } from "./words";

const PAGE = 50;
const MICROSOFT = ["https://myapps.microsoft.com", "https://account.live.com/consent/Manage"];
const MANY = 7;              /* so many need a search field */
const USUAL = 10_000, SOON = 1500;

interface Shown {
	accounts: Account[];
	next: string | null;
}

async function pagesOf(pages: number, search: string): Promise<Shown> {
	const accounts: Account[] = [];
	let next: string | null = null;

	for (let n = 0; n < pages && (n === 0 || next); n++) {
		const heard: List<Account> = await call("GET", `accounts?${query({ limit: String(PAGE), after: next ?? undefined, search: search || undefined })}`);

		accounts.push(...heard.items);
		next = heard.next;
	}
	return { accounts, next };
}

/* -- dialogs -- */

function RemoveDialog({ account, remove, close }: { account: Account; remove(): void; close(): void }) {
	const product = page.product;

	return (
		<Dialog title={phrase("app.remove.title", { address: <span translate={false}>{account.address}</span> })} close={close}>
			{(end) => (
				<>
					<dl class="plain stacked">
						<dt>{word("app.remove.deleted")}</dt>
						<dd>{word("app.remove.deleted.text")}</dd>
						<dt>{word("app.remove.kept")}</dt>
						<dd>{phrase("app.remove.kept.text", { product })}</dd>
						<dt>{word("app.remove.revoke")}</dt>
						<dd>
							<ul>
								<li>{account.provider === "microsoft" ? prose(word("app.remove.revoke.microsoft"), MICROSOFT) : word("app.remove.revoke.password")}</li>
								<li>{phrase("app.remove.revoke.bcc", { product })}</li>
							</ul>
						</dd>
					</dl>
					<div class="buttons">
						<button type="button" class="quiet" onClick={end}>{word("app.cancel")}</button>
						<button type="button" class="danger" onClick={() => { end(); remove(); }}>{word("app.remove.yes")}</button>
					</div>
				</>
			)}
		</Dialog>
	);
}

/* Without https browsers have no clipboard for scripts; the old way is still there. */
async function copy(field: HTMLInputElement): Promise<void> {
	field.select();
	if (navigator.clipboard) {
		await navigator.clipboard.writeText(field.value);
	} else if (!document.execCommand("copy")) {
		throw new Error("no clipboard");
	}
}

function LinkDialog({ link, account, close }: { link: Link; account: Account | null; close(): void }) {
	const field = useRef<HTMLInputElement>(null);
	const [copied, setCopied] = useState(false);

	return (
		<Dialog title={account ? phrase("app.reconnect.title", { address: <span translate={false}>{account.address}</span> }) : word("app.add")} close={close}>
			{(end) => (
				<>
					<p>{word(account ? "app.reconnect.text" : "app.link.text")}</p>
					<p><a class="button full" href={link.url} target="_blank" rel="noopener" onClick={end}>{word("app.link.open")}</a></p>
					<label for="link">{word("app.link.send")}</label>
					<input ref={field} id="link" readOnly value={link.url} onFocus={(event) => event.currentTarget.select()} />
					<p class="small">{phrase("app.link.valid", { time: dateTime(Date.parse(link.expires)) })}</p>
					<p role="status" class="small">{copied ? word("app.link.copied") : ""}</p>
					<div class="buttons">
						<button type="button" class="quiet" onClick={() => { copy(field.current!).then(() => setCopied(true), () => field.current?.focus()); }}>
							{word("app.link.copy")}
						</button>
						<button type="button" class="quiet" onClick={end}>{word("app.close")}</button>
					</div>
				</>
			)}
		</Dialog>
	);
}

/* -- the page -- */

type Opened = { kind: "remove"; account: Account } | { kind: "link"; account: Account | null; link: Link } | null;

interface Note {
	account: string | null;      /* null: of the whole page */
	text: string;
}

function failureText(error: unknown): string {
	const status = error instanceof Failure ? error.status : 0;

	return word(status === 0 ? "app.unsure" : status === 401 || status === 403 ? "app.over" : status === 404 || status === 409 ? "app.changed" : "app.failed");
}

/* After a mailbox is gone the next one has the focus, so that nobody begins again at the top. */
function focusBeside(accounts: Account[], gone: string): void {
	const at = accounts.findIndex((a) => a.id === gone);
	const beside = accounts[at + 1] ?? accounts[at - 1];

	window.setTimeout(() => document.getElementById(beside ? beside.id : "title")?.focus());
}

export function Settings() {
	const [pages, setPages] = useState(1);
	const [search, setSearch] = useState("");
	const [opened, setOpened] = useState<Opened>(null);
	const [busy, setBusy] = useState<Record<string, Action>>({});
	const [adding, setAdding] = useState(false);
	const [note, setNote] = useState<Note | null>(null);
	const watched = useRef(new Set<string>());
	const asked = useAsking<Shown>(useCallback(() => pagesOf(pages, search), [pages, search]),
		(shown) => (shown.accounts.some((a) => a.state === "connecting") ? SOON : USUAL));
	const accounts = asked.value?.accounts ?? [];
	const first = useRef(true);

	/* another question: the list is asked again */
	useEffect(() => {
		if (first.current) {
			first.current = false;
			return;
		}
		const timer = window.setTimeout(asked.again, 250);

		return () => window.clearTimeout(timer);
	}, [pages, search]);

	/* what came of the tests that were begun here */
	useEffect(() => {
		for (const a of accounts) {
			if (!watched.current.has(a.id) || a.state === "connecting") {
				continue;
			}
			watched.current.delete(a.id);
			if (a.state !== "paused") {
				setNote({ account: a.id, text: a.cause && a.state !== "connected" ? said("app.test.failed", { address: a.address, title: a.cause.title })
					: a.state === "connected" ? said("app.test.passed", { address: a.address }) : `${a.address}: ${stateWord(a.state)}` });
			}
		}
	}, [asked.value]);

	function replace(account: Account): void {
		asked.put((shown) => ({ ...shown, accounts: shown.accounts.map((a) => (a.id === account.id ? account : a)) }));
	}

	async function change(account: Account, action: Action): Promise<void> {
		if (action === "reconnect") {
			setOpened({ kind: "link", account, link: await newLink(account) });
		} else if (action === "remove") {
			const removal = await call<Removal | null>("DELETE", `accounts/${account.id}?${query({})}`);
			focusBeside(accounts, account.id);
			asked.put((shown) => ({ ...shown, accounts: shown.accounts.filter((a) => a.id !== account.id) }));
			setNote({ account: null, text: [said("app.remove.done", { address: account.address }), ...(removal?.left ?? []).map((one) => one.text)].join(" ") });
		} else {
			const begins = action !== "pause";

			replace(await call<Account>("POST", `accounts/${account.id}/${action}?${query({})}`));
			if (begins) {
				watched.current.add(account.id);
			} else {
				watched.current.delete(account.id);
			}
			setNote({ account: account.id, text: said(action === "verify" ? "app.test.begun" : `app.${action}.done`, { address: account.address }) });
		}
	}

	async function act(account: Account, action: Action): Promise<void> {
		setBusy((b) => ({ ...b, [account.id]: action }));
		try {
			await change(account, action);
		} catch (error) {
			setNote({ account: account.id, text: failureText(error) });
		}
		setBusy(({ [account.id]: _, ...rest }) => rest);
		void asked.again();
	}

	async function add(): Promise<void> {
		setAdding(true);
		try {
			setOpened({ kind: "link", account: null, link: await newLink(null) });
		} catch (error) {
			setNote({ account: null, text: failureText(error) });
		}
		setAdding(false);
	}

	const close = () => setOpened(null);
	const onCard = note && accounts.some((a) => a.id === note.account);

	return (
		<>
			<p class="crumb">{word("app.crumb")}</p>
			<div class="head">
				<h1 id="title" tabIndex={-1}>{word("app.title")}</h1>
				<button type="button" data-action="add" aria-disabled={adding ? "true" : undefined} onClick={() => { if (!adding) { void add(); } }}>{word("app.add")}</button>
			</div>
			<p class="lead">{phrase("app.lead", { product: page.product })}</p>
			<TroubleNotice trouble={asked.trouble} asOf={asked.asOf} again={() => { void asked.again(); }} />
			<p role="status" class="unseen">{note?.text ?? ""}</p>
			{note && !onCard && <p class="notice" aria-hidden="true">{note.text}</p>}
			{(accounts.length > MANY || asked.value?.next || search) && (
				<div class="field search">
					<label for="search">{word("app.search")}</label>
					<input id="search" type="search" autoComplete="off" maxLength={254} value={search} onInput={(event) => { setPages(1); setSearch(event.currentTarget.value.trim()); }} />
				</div>
			)}
			{!asked.value && !asked.trouble && <p class="small" role="status">{word("app.loading")}</p>}
			{asked.value && accounts.length === 0 && (
				<div class="card empty">
					<h2>{word(search ? "app.search.none" : "app.empty")}</h2>
					{!search && <p>{word("app.empty.text")}</p>}
				</div>
			)}
			<ul class="accounts" role="list">
				{accounts.map((a) => (
					<AccountCard key={a.id} account={a} busy={busy[a.id]} note={note?.account === a.id ? note.text : undefined} ended={() => { void asked.again(); }}
						act={(action) => { if (action === "remove") { setOpened({ kind: "remove", account: a }); } else { void act(a, action); } }} />
				))}
			</ul>
			{asked.value?.next && <p><button type="button" class="quiet full" onClick={() => setPages(pages + 1)}>{word("app.more")}</button></p>}
			{page.expires > 0 && <p class="small">{phrase("app.expires", { time: dateTime(page.expires) })}</p>}
			{opened?.kind === "remove" && <RemoveDialog account={opened.account} close={close} remove={() => { void act(opened.account, "remove"); }} />}
			{opened?.kind === "link" && <LinkDialog link={opened.link} account={opened.account} close={close} />}
		</>
	);
}

function newLink(account: Account | null): Promise<Link> {
	return call<Link>("POST", "connect-links", account ? { account: account.id, lang: page.lang } : { lang: page.lang });
}
