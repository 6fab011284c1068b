/* The connect page and Microsoft's sign-in page (the sandbox's), in a real Chromium.
 *
 *     node microsoft.mjs URL '{"lang": "nl", "address": …, "who": ["bert@…", "anna@…"], "answer": "accept", "rules": "MAP HOST:443 IP:PORT", "script": true}'
 *
 * `who` is picked at Microsoft, one after the other: after each but the last "try again" is pressed on our page, whose text then is `first`.
 * Prints one JSON object: {title, text, url, first, lang, faults}. Without "script" the page has to do without JavaScript.
 */
import { chromium } from "playwright-core";

const RESULT_MS = 60000;

async function shot(page, order, name) {
	if (order.shots) {
		await page.screenshot({ path: `${order.shots}-${name}.png`, fullPage: true });
	}
}

async function leave(page, order) {
	if (await page.isEditable("#address")) {
		await page.fill("#address", order.address);
	}
	if (order.script !== false && (await page.locator("[data-way=microsoft]:visible").count()) === 0) {
		await page.click("details.more > summary");
		await page.selectOption("#provider", "microsoft");
		await page.waitForSelector("#password", { state: "hidden" });
	}
	await shot(page, order, "form");
	await page.locator("button[formaction$='/microsoft']:visible").click();
	await page.waitForURL(/login\.microsoftonline\.com/);
}

async function signIn(page, order, who) {
	await page.check(`input[name=account][value="${who}"]`);
	await page.click("button[name=next]");
	const answer = page.locator(`button[name=answer][value=${order.answer ?? "accept"}]`);
	await Promise.race([answer.waitFor(), page.waitForURL(/\/connect\/|\/oauth\//)]);
	if (await answer.count()) {
		await answer.click();
	}
	await page.waitForURL(/\/result|\/oauth\//, { timeout: RESULT_MS });
}

async function main([url, text]) {
	const order = JSON.parse(text);
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", `--host-resolver-rules=${order.rules}`],
	});
	const context = await browser.newContext({
		locale: order.lang, javaScriptEnabled: order.script !== false, colorScheme: order.dark ? "dark" : "light", ignoreHTTPSErrors: true,
		viewport: { width: order.width ?? 1280, height: 900 },
	});
	const page = await context.newPage();
	const faults = [];
	let first = null;

	/* Microsoft's page is not ours: that it has no icon, for one */
	const ours = (message) => message.location().url.startsWith(new URL(url).origin);
	page.on("console", (message) => message.type() === "error" && ours(message) && faults.push(message.text()));
	page.on("pageerror", (error) => faults.push(String(error)));
	await page.goto(url);
	for (const who of order.who) {
		await leave(page, order);
		await signIn(page, order, who);
		if (who !== order.who[order.who.length - 1]) {
			first = await page.locator("main").innerText();
			await shot(page, order, "first");
			await page.click(`a.button[href="${new URL(url).pathname}"]`);
			await context.clearCookies({ domain: "login.microsoftonline.com" });
		}
	}
	await shot(page, order, "result");
	console.log(JSON.stringify({
		title: await page.locator("h1").innerText(), text: await page.locator("main").innerText(), url: page.url(), first,
		lang: await page.locator("html").getAttribute("lang"), faults,
	}));
	await browser.close();
	return 0;
}

process.exitCode = await main(process.argv.slice(2));
