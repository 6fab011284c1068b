/* Operation: how all mailboxes of this system are, what they share, and how much goes through. */
import { useCallback, useRef } from "preact/hooks";
import type { Incident, Overview, State } from "./api";
import { call } from "./api";
import { useAsking } from "./asking";
import { StateMark, TroubleNotice } from "./parts";
import { Bar, Plot } from "./plot";
import { type Titles, useTitles } from "./titles";
import { clockTime, dateTime, figure, phrase, said, Time, word } from "./words";

const EVERY = 5000, SAMPLES = 120;

const CURVES = ["messages", "connects", "losses", "commits"] as const;
type Curve = (typeof CURVES)[number];

interface Sample extends Record<Curve, number> {
	at: number;
}

/* A counter begins again when the daemon does: what is less than before is no rate. */
function rates(samples: Sample[], curve: Curve): number[] {
	return samples.slice(1).map((s, n) => Math.max(0, ((s[curve] - samples[n][curve]) * 60_000) / Math.max(1, s.at - samples[n].at)));
}

const KIND: Partial<Record<State, string>> = { connected: "good", connecting: "good", degraded: "warn", waiting: "warn", needs_user: "bad", needs_admin: "bad" };

function Accounts({ overview, titles }: { overview: Overview; titles: Titles }) {
	const rows = [...overview.accounts].filter((a) => a.state !== "removed").sort((a, b) => b.count - a.count);
	const most = Math.max(1, ...rows.map((r) => r.count));

	return (
		<section class="card">
			<h2>{word("app.op.accounts")}</h2>
			<table>
				<thead><tr><th scope="col">{word("app.op.state")} · {word("app.op.cause")}</th><th scope="col" class="figure">{word("app.op.count")}</th></tr></thead>
				<tbody>
					{rows.map((r) => (
						<tr key={`${r.state} ${r.cause}`}>
							<th scope="row">
								<StateMark state={r.state} />
								{r.cause && <a class="title" href={`/help/${encodeURIComponent(r.cause)}`}>{titles[r.cause] ?? r.cause}</a>}
								<Bar share={r.count / most} kind={KIND[r.state] ?? "still"} />
							</th>
							<td class="figure">{figure(r.count)}</td>
						</tr>
					))}
				</tbody>
			</table>
			{rows.length === 0 && <p class="small">{word("app.empty")}</p>}
		</section>
	);
}

function Incidents({ list, titles }: { list: Incident[]; titles: Titles }) {
	return (
		<section class="card">
			<h2>{word("app.op.incidents")}</h2>
			{list.length === 0 ? <p>{word("app.op.incidents.none")}</p> : (
				<ul class="index" role="list">
					{list.map((i) => (
						<li key={i.id}>
							<a href={`/help/${encodeURIComponent(i.cause)}`}>{titles[i.cause] ?? i.cause}</a>
							<span class="about">
								{word("app.op.host")}: <span translate={false}>{i.host}</span> · {word("app.op.count")}: {figure(i.accounts)} · {word("app.op.opened")}: <Time at={i.opened} />
							</span>
						</li>
					))}
				</ul>
			)}
		</section>
	);
}

function Addresses({ overview }: { overview: Overview }) {
	const { egress, egress_stray: stray } = overview;
	const about = egress.length === 0 ? "none" : egress[0].how === "configured" ? "configured" : "learnt";

	return (
		<section class="card">
			<h2>{word("app.op.addresses")}</h2>
			<p class="small">{word(`app.op.addresses.${about}`)}</p>
			{stray.length > 0 && <p class="notice bad">{phrase("app.op.addresses.stray", { addresses: stray.join(", ") })}</p>}
			<ul class="links">
				{egress.map((e) => (
					<li key={e.address}>
						{e.seen_once ? phrase("ui/seen_once", { address: <span translate={false}>{e.address}</span> }) : <span translate={false}>{e.address}</span>}
						{e.hosts.length > 0 && <span class="small" translate={false}> · {e.hosts.join(", ")}</span>}
					</li>
				))}
			</ul>
		</section>
	);
}

function Throughput({ samples }: { samples: Sample[] }) {
	return (
		<section class="card">
			<h2>{word("app.op.throughput")}</h2>
			<p class="small">{word("app.op.throughput.text")}</p>
			<div class="plots">
				{CURVES.map((curve) => {
					const values = rates(samples, curve), now = values[values.length - 1] ?? 0, title = word(`app.op.${curve}`);
					const peak = said("app.op.peak", { count: figure(Math.max(0, ...values)) });

					return (
						<div key={curve}>
							<h3>{title}</h3>
							<p class="big">{figure(now)}</p>
							<Plot values={values} label={`${title}: ${figure(now)}. ${peak}`} />
							<p class="small">{peak}</p>
						</div>
					);
				})}
			</div>
		</section>
	);
}

function Figures({ overview }: { overview: Overview }) {
	const rows: [string, number, boolean][] = [
		["parked", overview.keeper.parked, false], ["verifying", overview.keeper.verifying, false], ["waiting", overview.keeper.waiting, false],
		["webhooks", overview.webhooks.waiting, false], ["given_up", overview.webhooks.given_up, overview.webhooks.given_up > 0],
	];

	return (
		<dl class="figures">
			{rows.map(([key, value, bad]) => <div key={key} class={bad ? "bad" : undefined}><dt>{word(`app.op.${key}`)}</dt><dd>{figure(value)}</dd></div>)}
		</dl>
	);
}

export function Operator() {
	const samples = useRef<Sample[]>([]);
	const titles = useTitles(true);
	const asked = useAsking<Overview>(useCallback(async () => {
		const o = await call<Overview>("GET", "overview");

		samples.current = [...samples.current, { at: Date.now(), messages: o.keeper.messages, connects: o.keeper.connects, losses: o.keeper.losses,
			commits: o.store.commits }].slice(-SAMPLES);
		return o;
	}, []), () => EVERY);
	const overview = asked.value;

	return (
		<>
			<h1 id="title" tabIndex={-1}>{word("app.operator")}</h1>
			{overview && <p class="lead">{phrase("app.operator.lead", { time: clockTime(asked.asOf) })}</p>}
			<TroubleNotice trouble={asked.trouble} asOf={asked.asOf} again={() => { void asked.again(); }} />
			{!overview && !asked.trouble && <p class="small" role="status">{word("app.loading")}</p>}
			{overview && (
				<>
					{!overview.store.writable && <p class="notice bad" role="alert">{word("app.op.store.broken")}</p>}
					<Figures overview={overview} />
					<Incidents list={overview.incidents} titles={titles} />
					<Accounts overview={overview} titles={titles} />
					<Throughput samples={samples.current} />
					<Addresses overview={overview} />
					<p class="small">{phrase("app.op.started", { time: dateTime(Date.parse(overview.started)) })}</p>
				</>
			)}
		</>
	);
}
