/* The connect page and Google's sign-in page (the sandbox's), in a real Chromium.
 *
 *     node google.mjs URL '{"lang": "th", "address": …, "who": ["bert@…"], "leaveOut": "calendar", "answer": "cancel", "rules": "MAP HOST:443 IP:PORT", "script": true}'
 *
 * `who` is picked at Google. Where Google's own page ends it, its address is pasted on ours. Where a box was left empty, our page's button leads back
 * there, and all are ticked. Where an administrator has to act, their page is looked at, and says that it is done; then the person signs in once more.
 * Prints one JSON object: {said, asked, admin, text, url, lang, status, faults}; what was not shown is null. Without "script" no page may need JavaScript.
 */
import { chromium } from "playwright-core";

const RESULT_MS = 60000;
const BACK = /\/result|\/callback|\/signin\/oauth\/error/;

async function shot(page, order, name) {
	if (order.shots) {
		await page.screenshot({ path: `${order.shots}-${name}.png`, fullPage: true });
	}
}

async function text(page) {
	return page.locator("main").innerText();
}

async function leave(page, order) {
	if (await page.isEditable("#address")) {
		await page.fill("#address", order.address);
	}
	await shot(page, order, "form");
	const [answer] = await Promise.all([page.waitForResponse((r) => r.request().method() === "POST" && r.url().endsWith("/google")),
		page.locator("button[formaction$='/google']:visible").first().click()]);
	return answer.status();
}

async function signIn(page, who, leaveOut, answer) {
	await page.waitForURL(/accounts\.google\.com/);
	await page.check(`input[name=account][value="${who}"]`);
	await page.click("#identifierNext");
	const button = page.locator(`button[name=answer][value=${answer}]`);
	await Promise.race([button.waitFor(), page.waitForURL(BACK)]);
	if (await button.count()) {
		if (leaveOut) {
			await page.uncheck(`input[name=scope][value$="${leaveOut}"]`);
		}
		await button.click();
	}
	await page.waitForURL(BACK, { timeout: RESULT_MS });
}

/* What Google says there it tells nobody but who stands before it. */
async function paste(page, order, url) {
	const address = page.url();
	await page.goto(url);
	await shot(page, order, "away");
	const asked = await text(page);
	await page.fill("#said", address);
	await page.locator("form[action$='/google/said'] button").click();
	await page.waitForURL(/\/result/);
	return asked;
}

async function hasItTrusted(context, page, order, url) {
	await page.goto(`${url}/administrator`);
	const admin = await context.browser().newPage({ locale: order.lang, javaScriptEnabled: order.script !== false, colorScheme: order.dark ? "dark" : "light",
		viewport: { width: order.width ?? 1280, height: 900 } });
	await admin.goto((await page.locator(".copy").innerText()).trim());
	await shot(admin, order, "admin");
	const seen = await text(admin);
	await admin.locator("form.buttons button").click();
	await shot(admin, order, "trusted");
	await admin.close();
	await page.goto(`${url}/result`);
	await shot(page, order, "once-more");
	return seen;
}

async function again(page, order) {
	await page.locator("form[action$='/google'] button").click();
	await signIn(page, order.address, null, "accept");
}

async function main([url, json]) {
	const order = JSON.parse(json);
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", `--host-resolver-rules=${order.rules}`],
	});
	const context = await browser.newContext({
		locale: order.lang, javaScriptEnabled: order.script !== false, colorScheme: order.dark ? "dark" : "light", ignoreHTTPSErrors: true,
		viewport: { width: order.width ?? 1280, height: 900 },
	});
	const page = await context.newPage();
	const faults = [];
	let said = null, asked = null, admin = null;

	/* Google's page is not ours, and that ours answers 503 where nobody may be sent is meant */
	const ours = (message) => message.location().url.startsWith(new URL(url).origin) && !/status of 503/.test(message.text());
	page.on("console", (message) => message.type() === "error" && ours(message) && faults.push(message.text()));
	page.on("pageerror", (error) => faults.push(String(error)));
	await page.goto(url);
	const status = await leave(page, order);
	if (status === 200) {
		await signIn(page, order.who ?? order.address, order.leaveOut, order.answer ?? "accept");
		if (/\/signin\/oauth\/error/.test(page.url())) {
			asked = await paste(page, order, url);
		}
		if (order.leaveOut || asked) {
			await shot(page, order, "said");
			said = await text(page);
		}
		if (order.leaveOut) {
			await again(page, order);
		} else if (asked && (await page.locator("a[href$='/administrator']").count())) {
			admin = await hasItTrusted(context, page, order, url);
			await again(page, order);
		}
	}
	await page.waitForURL((u) => !u.pathname.endsWith("/progress"), { timeout: RESULT_MS });
	await shot(page, order, "result");
	console.log(JSON.stringify({ said, asked, admin, text: await text(page), url: page.url(), lang: await page.locator("html").getAttribute("lang"), status, faults }));
	await browser.close();
	return 0;
}

process.exitCode = await main(process.argv.slice(2));
