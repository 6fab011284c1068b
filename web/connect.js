/* The checklist while it works: brought up to date in place, instead of the whole page every other second. Without this file the
 * page does the same by being loaded again. */
(function () {
	"use strict";

	var list = document.querySelector("[data-progress]");
	var status = document.querySelector("[role=status]");
	var failures = 0;

	if (!list || !status || !window.fetch) {
		return;
	}

	function piece(kind, name, text) {
		var node = document.createElement(kind);

		node.className = name;
		node.textContent = text;
		return node;
	}

	function item(step) {
		var node = document.createElement("li");

		node.className = step.state;
		node.append(piece("span", "label", step.label), " ", piece("span", "unseen", step.state_text));
		if (step.text) {
			node.append(" ", piece("span", "text", step.text));
		}
		return node;
	}

	/* Only what changed is touched, so that a reader's place and selection stay. */
	function show(steps) {
		steps.forEach(function (step, n) {
			var fresh = item(step);
			var old = list.children[n];

			if (!old) {
				list.append(fresh);
			} else if (!old.isEqualNode(fresh)) {
				old.replaceWith(fresh);
			}
		});
		while (list.children.length > steps.length) {
			list.lastElementChild.remove();
		}
	}

	/* Said aloud by screen readers: once for each step, not once for each question. */
	function say(text) {
		if (status.textContent !== text) {
			status.textContent = text;
		}
	}

	function again() {
		window.setTimeout(ask, Math.min(1000 + failures * 1000, 10000));
	}

	function took(answer) {
		failures = 0;
		show(answer.steps);
		say(answer.status);
		if (answer.done) {
			window.location.replace(answer.next);
		} else {
			again();
		}
	}

	function failed() {
		failures += 1;
		say(status.dataset.unreached);
		again();
	}

	function ask() {
		fetch(list.dataset.progress, { headers: { Accept: "application/json" }, credentials: "same-origin", cache: "no-store" }).then(function (answer) {
			if (answer.status === 404 || answer.status === 410) {
				window.location.reload();          /* the page itself says what became of the link */
				return null;
			}
			if (!answer.ok) {
				throw new Error("status " + answer.status);
			}
			return answer.json().then(took);
		}).catch(failed);
	}

	again();
})();
