/* A mailbox whose organisation wants its administrator's approval: the person in one browser, the administrator in another, both real Chromium.
 *
 *     node approval.mjs URL '{"lang": "pl", "address": …, "rules": "MAP HOST:443 IP:PORT", "script": true, "back": "paste" or "link", "answers": ["cancel", "accept"]}'
 *
 * From the moment the administrator has agreed nobody touches the person's page. Prints one JSON object: {asked, said, admin, refused, approved,
 * title, text, url, admin_then, lang, faults}. Without "script" the person's page has to do without JavaScript.
 */
import { chromium } from "playwright-core";

const MOST_MS = 60000;
const faults = [];

async function shot(page, order, name) {
	if (order.shots) {
		await page.screenshot({ path: `${order.shots}-${name}.png`, fullPage: true });
	}
}

async function open(browser, url, order, more) {
	const context = await browser.newContext({
		locale: order.lang, colorScheme: order.dark ? "dark" : "light", ignoreHTTPSErrors: true,
		viewport: { width: order.width ?? 1280, height: 900 }, ...more,
	});
	const page = await context.newPage();
	const ours = (message) => message.location().url.startsWith(new URL(url).origin);

	page.on("console", (message) => message.type() === "error" && ours(message) && faults.push(message.text()));
	page.on("pageerror", (error) => faults.push(String(error)));
	await page.goto(url);
	return page;
}

const said = (page) => page.locator("main").innerText();

/* As far as Microsoft's own page, which leads nowhere. */
async function leave(page, order) {
	if (await page.isEditable("#address")) {
		await page.fill("#address", order.address);
	}
	if (order.script !== false && (await page.locator("[data-way=microsoft]:visible").count()) === 0) {
		await page.click("details.more > summary");
		await page.selectOption("#provider", "microsoft");
	}
	await page.locator("button[formaction$='/microsoft']:visible").click();
	await page.waitForURL(/login\.microsoftonline\.com/);
	await page.check(`input[name=account][value="${order.address}"]`);
	await page.click("button[name=next]");
	await page.waitForSelector("#exceptionMessageContainer");
}

/* Back, by the browser's own button, and what the page said is pasted; or by the link that Microsoft's page has. */
async function comeBack(page, url, order) {
	const text = await said(page);
	let asked = null;

	if (order.back === "link") {
		await page.click("#returnLink");
	} else {
		while (!page.url().startsWith(url)) {
			await page.goBack();
		}
		asked = await said(page);
		await shot(page, order, "away");
		await page.fill("#said", text);
		await page.locator("form[action$='/microsoft/said'] button").click();
	}
	await page.waitForURL(/\/result/);
	return asked;
}

async function handedOver(page, order) {
	const result = page.url();

	await page.locator("a[href$='/administrator']").click();
	const admin = await page.locator("p.copy").innerText();
	await shot(page, order, "handover");
	await page.goto(result);
	return admin;
}

async function decide(page, order, answer) {
	await page.locator("a.button[href*='/adminconsent?']").click();
	await page.waitForURL(/login\.microsoftonline\.com/);
	await page.click(`button[name=answer][value=${answer}]`);
	await page.waitForURL(/\/admin\/|\/oauth\//);
}

async function main([url, text]) {
	const order = JSON.parse(text);
	const browser = await chromium.launch({
		executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", `--host-resolver-rules=${order.rules}`],
	});
	const seen = { refused: null };
	const page = await open(browser, url, order, { javaScriptEnabled: order.script !== false });

	await leave(page, order);
	seen.asked = await comeBack(page, url, order);
	seen.said = await said(page);
	await shot(page, order, "waits");

	const admin = await open(browser, await handedOver(page, order), order, {});
	seen.admin = await said(admin);
	await shot(admin, order, "admin");
	for (const answer of order.answers ?? ["accept"]) {
		await decide(admin, order, answer);
		if (answer === "cancel") {
			seen.refused = await said(admin);
			await shot(admin, order, "refused");
			await admin.click("a.button[href^='/admin/']");
		}
	}
	seen.approved = await said(admin);
	await shot(admin, order, "approved");

	/* nobody touches it */
	await page.waitForSelector(".sign.passed", { timeout: MOST_MS });
	await page.waitForURL(/\/result/);
	await shot(page, order, "connected");
	await admin.waitForSelector("[data-state=connected]", { timeout: MOST_MS });
	seen.admin_then = await said(admin);
	console.log(JSON.stringify({
		...seen, title: await page.locator("h1").innerText(), text: await said(page), url: page.url(),
		lang: await page.locator("html").getAttribute("lang"), faults,
	}));
	await browser.close();
	return 0;
}

process.exitCode = await main(process.argv.slice(2));
