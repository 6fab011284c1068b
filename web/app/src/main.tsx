/* Settings › General › Email, and the operator's page. Whatever happens, something is shown: before this script has its words the page
 * says in the server's own that it does not work just now, and a fault in here is told like any other. */
import { Component, render, type ComponentChildren } from "preact";
import { Operator } from "./operator";
import { page } from "./page";
import { Settings } from "./settings";
import { loadWords, word } from "./words";

const AGAIN = 5000;

class Guarded extends Component<{ children: ComponentChildren }, { broken: boolean }> {
	state = { broken: false };

	static getDerivedStateFromError() {
		return { broken: true };
	}

	componentDidCatch(error: unknown) {
		console.error(error);
	}

	render() {
		if (!this.state.broken) {
			return this.props.children;
		}
		return (
			<div role="alert">
				<h1>{page.trouble}</h1>
				<p class="lead">{word("app.crashed")}</p>
				<p><button type="button" onClick={() => window.location.reload()}>{page.again}</button></p>
			</div>
		);
	}
}

function WithoutWords({ again }: { again(): void }) {
	return (
		<div role="alert">
			<h1>{page.trouble}</h1>
			<p><button type="button" onClick={again}>{page.again}</button></p>
		</div>
	);
}

function show(what: ComponentChildren): void {
	page.root.replaceChildren();
	render(null, page.root);
	render(what, page.root);
}

async function begin(): Promise<void> {
	let timer = 0;

	try {
		await loadWords();
	} catch {
		const again = () => {
			window.clearTimeout(timer);
			void begin();
		};

		timer = window.setTimeout(again, AGAIN);
		show(<WithoutWords again={again} />);
		return;
	}
	show(<Guarded>{page.kind === "operator" ? <Operator /> : <Settings />}</Guarded>);
}

void begin();
