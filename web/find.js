/* The connect page: as soon as the address is known, the servers are looked for, and what is found is filled in where nothing else stands.
 * Without this file a button does the same. Of the password nothing is sent. */
(function () {
	"use strict";

	var form = document.querySelector("form[data-find]");
	var status = document.querySelector("[role=status]");
	var asked = 0;

	if (!form || !status || !window.fetch || !window.URLSearchParams) {
		return;
	}

	function fieldsNow() {
		var now = new URLSearchParams();

		Array.from(form.elements).forEach(function (field) {
			if (field.name && field.type !== "password") {
				now.append(field.name, field.value);
			}
		});
		return now;
	}

	function memory(name) {
		return form.elements["found_" + name];
	}

	/* "Found for you" stands beside a field for as long as that is what stands in it. */
	function mark(name) {
		var field = form.elements[name];
		var hint = document.getElementById(name + "-found");
		var others = (field.getAttribute("aria-describedby") || "").split(" ").filter(function (id) { return id && id !== hint.id; });

		hint.hidden = !memory(name).value || memory(name).value !== field.value;
		field.setAttribute("aria-describedby", others.concat(hint.hidden ? [] : [hint.id]).join(" "));
	}

	/* With a password here, or at a provider's own page: only the way that is chosen is there. */
	function changeOver() {
		var chosen = form.elements.provider.value;
		var way = form.querySelector("fieldset[data-way=\"" + chosen + "\"]") ? chosen : "password";

		document.querySelectorAll("[data-way]").forEach(function (part) {
			part.hidden = part.disabled = part.dataset.way !== way;
		});
	}

	/* Whoever has typed there meanwhile has the last word, and so has who is about to: nothing comes under anybody's cursor. */
	function fill(fields, sent) {
		Object.keys(fields).forEach(function (name) {
			var field = form.elements[name];
			var given = name === "provider" && fields[name] === "auto" ? "" : fields[name];

			if (field.value === sent.get(name) && field !== document.activeElement) {
				field.value = fields[name];
				memory(name).value = given;
				mark(name);
			}
		});
		changeOver();
	}

	/* Then nothing would be filled in, and a button must not move away under a click for that. */
	function isChosen() {
		var way = form.elements.provider.value;

		return way !== "auto" && way !== memory("provider").value;
	}

	function find() {
		var sent = fieldsNow();
		var turn = ++asked;

		if (isChosen() || !form.elements.address.validity.valid || !form.elements.address.value) {
			return;
		}
		status.textContent = status.dataset.looking;
		fetch(form.dataset.find, { method: "POST", body: sent, headers: { Accept: "application/json" }, credentials: "same-origin" }).then(function (answer) {
			return answer.ok ? answer.json() : { fields: {}, status: "" };
		}).catch(function () {
			return { fields: {}, status: "" };          /* it is found while connecting, or what is missing is said then */
		}).then(function (found) {
			if (turn === asked) {
				fill(found.fields, sent);
				status.textContent = found.status;
			}
		});
	}

	form.elements.address.addEventListener("change", find);
	form.addEventListener("input", function (event) {
		if (memory(event.target.name)) {
			mark(event.target.name);
		}
		changeOver();
	});
	if (form.dataset.now !== undefined) {
		find();
	}
})();
