/* A newcomer's way through the connect page, in a real Chromium: the form filled in, the checklist watched, the result read.
 *
 *     node journey.mjs URL '{"address": …, "password": …, "lang": "de", "shots": "FOLDER/NAME", "script": true, "width": 390}'
 *
 * "repair": true takes the right URL of Exchange by the result's button; `before` is what that page said.
 * Prints one JSON object: {title, text, url, steps, before, lang, faults}. Without "script" the page has to do without JavaScript.
 */
import { chromium } from "playwright-core";

const RESULT_MS = 90000;

async function shot(page, order, name) {
	if (order.shots) {
		await page.screenshot({ path: `${order.shots}-${name}.png`, fullPage: true });
	}
}

async function fill(page, order) {
	if (await page.isEditable("#address")) {
		await page.fill("#address", order.address);
	}
	await page.fill("#password", order.password);
	if (order.imap_host) {
		await page.click("details.more > summary");
		await page.fill("#imap_host", order.imap_host);
		await page.fill("#imap_port", String(order.imap_port));
	}
	if (order.ews_url) {
		await page.click("details.more > summary");
		await page.selectOption("#provider", "exchange");
		await page.fill("#ews_url", order.ews_url);
	}
	await shot(page, order, "form");
	/* by the keyboard alone: the button is where Tab leads, and Enter sends */
	await page.press("#password", "Enter");
}

async function main([url, text]) {
	const order = JSON.parse(text);
	const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
	const context = await browser.newContext({
		locale: order.lang, javaScriptEnabled: order.script !== false, colorScheme: order.dark ? "dark" : "light",
		viewport: { width: order.width ?? 1280, height: 900 },
	});
	const page = await context.newPage();
	const faults = [];

	page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
	page.on("pageerror", (error) => faults.push(String(error)));
	await page.goto(url);
	await fill(page, order);
	await page.waitForURL(/\/(progress|result)/);
	const steps = await page.locator("[data-progress] li").count();
	await shot(page, order, "checklist");
	await page.waitForURL(/\/result/, { timeout: RESULT_MS });
	await shot(page, order, "result");
	const before = await page.locator("main").innerText();
	if (order.repair) {
		await Promise.all([page.waitForEvent("framenavigated"), page.click("form[action$='/url'] button")]);
		await page.waitForURL(/\/result/, { timeout: RESULT_MS });
		await shot(page, order, "repaired");
	}
	console.log(JSON.stringify({
		title: await page.locator("h1").innerText(), text: await page.locator("main").innerText(), url: page.url(), steps, before,
		lang: await page.locator("html").getAttribute("lang"), faults,
	}));
	await browser.close();
	return 0;
}

process.exitCode = await main(process.argv.slice(2));
