/* One mailbox: its state, what is wrong with it and what to do, what is being tested, and what can be done with it. */
import { useEffect, useState } from "preact/hooks";
import type { Account, Cause, Fact, Progress, Report, Step } from "./api";
import { call, query } from "./api";
import { StateMark } from "./parts";
import { useTitles } from "./titles";
import { hasWord, isWeb, phrase, prose, Time, word } from "./words";

export type Action = "verify" | "pause" | "resume" | "reconnect" | "remove";

/* -- the cause -- */

function stepLabel(fact: Fact): string {
	return !fact.step ? "" : `${hasWord(`ui/step.${fact.step}`) ? word(`ui/step.${fact.step}`) : fact.step} · `;
}

function FactLine({ fact }: { fact: Fact }) {
	return (
		<div>
			<dt>{stepLabel(fact)}<span translate={false}>{fact.fact}</span></dt>
			<dd><code translate={false}>{fact.value}</code></dd>
		</div>
	);
}

/* What it is not, and by what that is known. */
function Out({ title, by }: { title: string; by: Fact }) {
	return (
		<div>
			<dt>{title}</dt>
			<dd class="small">{stepLabel(by)}<span translate={false}>{by.fact}</span> <code translate={false}>{by.value}</code></dd>
		</div>
	);
}

/* Asked for when somebody wants to see it. */
function Proof({ account, cause }: { account: string; cause: Cause }) {
	const [open, setOpen] = useState(false);
	const [report, setReport] = useState<Report | null>(null);
	const [failed, setFailed] = useState<"none" | "failed" | null>(null);
	const titles = useTitles(open);
	const proof = report?.causes.find((c) => c.id === cause.id)?.proof ?? [];

	useEffect(() => {
		if (!open) {
			return;
		}
		call<Report>("GET", `accounts/${account}/report?${query({})}`)
			.then((r) => { setReport(r); setFailed(null); })
			.catch((error) => setFailed(error.status === 404 ? "none" : "failed"));
	}, [open, account, cause.id]);

	return (
		<details class="more" onToggle={(event) => { if (event.target === event.currentTarget) { setOpen(event.currentTarget.open); } }}>
			<summary>{word("ui/proof")}</summary>
			<div aria-live="polite">
				{failed ? <p class="small">{word(`app.proof.${failed}`)}</p> : !report ? <p class="small">{word("app.loading")}</p> : null}
			</div>
			{proof.length > 0 && <dl class="facts">{proof.map((f) => <FactLine fact={f} />)}</dl>}
			{report && report.ruled_out.length > 0 && (
				<details class="more">
					<summary>{word("result.ruled_out")}</summary>
					<dl class="facts">{report.ruled_out.map((r) => <Out key={r.id} title={titles[r.id] ?? r.id} by={r.by} />)}</dl>
				</details>
			)}
		</details>
	);
}

function CauseText({ account, cause }: { account: string; cause: Cause }) {
	return (
		<div class="cause">
			<h3>{cause.title}</h3>
			<ul class="marks" role="list">
				<li class={`who ${cause.who}`}>{word("help.who")}: {word(`who.${cause.who}`)}</li>
				<li>{word(`ui/certainty.${cause.certainty}`)}</li>
			</ul>
			<p>{prose(cause.why, cause.links)}</p>
			{cause.fix.length > 0 && (
				<>
					<h4>{word("ui/what_to_do")}</h4>
					<ol class="steps" role="list">{cause.fix.map((step) => <li>{prose(step, cause.links)}</li>)}</ol>
				</>
			)}
			<p class="small">
				{isWeb(cause.help) && <a href={cause.help} target="_blank" rel="noopener">{word("result.help")}</a>}
			</p>
			<Proof account={account} cause={cause} />
		</div>
	);
}

/* -- the test under way -- */

export function Checks({ steps }: { steps: Step[] }) {
	return (
		<ol class="checks" role="list" aria-label={word("progress.list")}>
			{steps.map((step) => (
				<li key={step.id} class={step.state}>
					<span class="label">{step.label}</span>{" "}
					<span class="unseen">{word(step.state === "running" ? "progress.running" : `ui/state.${step.state}`)}</span>
					{step.text && <span class="text">{step.text}</span>}
				</li>
			))}
		</ol>
	);
}

/* The steps of the check under way, and of the last one as long as the page is open. */
function useSteps(account: Account, ended: () => void): Step[] {
	const [steps, setSteps] = useState<Step[]>([]);
	const running = account.state === "connecting";

	useEffect(() => {
		let timer = 0, over = false;

		async function ask() {
			let next = 700;

			try {
				const now = await call<Progress>("GET", `accounts/${account.id}/progress?${query({})}`);

				if (over) {
					return;
				}
				setSteps(now.steps);
				if (now.done && now.state !== "connecting") {
					ended();
					next = 2000;
				}
			} catch {
				next = 3000;                    /* the list says what is the matter */
			}
			if (!over) {
				timer = window.setTimeout(ask, next);
			}
		}

		if (running) {
			void ask();
		}
		return () => {
			over = true;
			window.clearTimeout(timer);
		};
	}, [running, account.id]);

	return steps;
}

/* -- the card -- */

interface Props {
	account: Account;
	note: string | undefined;
	busy: Action | undefined;
	act(action: Action): void;
	ended(): void;
}

function ActionButton({ action, quiet, ...p }: { action: Action; quiet?: boolean } & Pick<Props, "account" | "busy" | "act">) {
	const label = word(action === "verify" ? "app.test" : `app.${action}`);

	/* not `disabled`: the focus would be lost */
	return (
		<button type="button" class={quiet ? "quiet small" : "small"} aria-label={`${label}: ${p.account.address}`} aria-disabled={p.busy ? "true" : undefined}
			data-action={action} onClick={() => { if (!p.busy) { p.act(action); } }}>
			{label}
		</button>
	);
}

export function AccountCard({ account, note, busy, act, ended }: Props) {
	const steps = useSteps(account, ended);
	const running = account.state === "connecting";
	const paused = account.state === "paused";
	const with_ = { account, busy, act };

	return (
		<li class="card account" data-account={account.id} data-state={account.state}>
			<div class="head">
				<h2 id={account.id} tabIndex={-1} translate={false}>{account.address}</h2>
				<StateMark state={account.state} />
			</div>
			<p class="small times">
				<span>{phrase("app.since", { time: <Time at={account.since} /> })}</span>
				{account.last_ok && account.state !== "connected" && <span>{phrase("app.last_ok", { time: <Time at={account.last_ok} /> })}</span>}
				{account.next_try && account.state === "waiting" && <span>{phrase("app.next_try", { time: <Time at={account.next_try} /> })}</span>}
			</p>
			{note && <p class="note">{note}</p>}
			{steps.length > 0 && !paused && (
				<details class="more" open={running}>
					<summary>{word("result.checked")}</summary>
					<Checks steps={steps} />
				</details>
			)}
			{!running && !paused && account.incident && <p class="notice">{word("app.incident")}</p>}
			{!running && !paused && account.cause && <CauseText account={account.id} cause={account.cause} />}
			<div class="actions">
				{!paused && <ActionButton key="verify" action="verify" quiet={!["needs_admin", "waiting", "degraded"].includes(account.state)} {...with_} />}
				<ActionButton key="reconnect" action="reconnect" quiet={account.state !== "needs_user"} {...with_} />
				<ActionButton key="rest" action={paused ? "resume" : "pause"} quiet={!paused} {...with_} />
				<ActionButton key="remove" action="remove" quiet {...with_} />
			</div>
		</li>
	);
}
