/* A page about something that changes by itself: it asks what the state is and is loaded again only when that is another one, or once a
 * wait is over. Browsers without scripts load it every so often while a check is under way or somebody else has to act. */
(function () {
	"use strict";

	var watched = document.querySelector("[data-watch]");
	var waiting = document.querySelector("[data-reload]");

	if (waiting) {
		window.setTimeout(function () {
			window.location.reload();
		}, Number(waiting.dataset.reload));
	}

	if (!watched || !window.fetch) {
		return;
	}

	function again() {
		window.setTimeout(ask, watched.dataset.state === "connecting" ? 2000 : Number(watched.dataset.every) || 15000);
	}

	function ask() {
		fetch(watched.dataset.watch, { credentials: "same-origin", cache: "no-store" }).then(function (answer) {
			return answer.ok ? answer.json() : { state: watched.dataset.state, cause: watched.dataset.cause };
		}).then(function (now) {
			if (now.state !== watched.dataset.state || (now.cause || "") !== (watched.dataset.cause || "")) {
				window.location.reload();
			} else {
				again();
			}
		}).catch(again);
	}

	again();
})();
