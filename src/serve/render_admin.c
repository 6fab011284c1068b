#include "serve/render.h"

#include <string.h>

static bool is_done(const struct account *a)
{
	return a->state == ACCOUNT_CONNECTED || a->state == ACCOUNT_REMOVED;
}

static bool is_approved(const struct account *a)
{
	return signin_is_approved(a);
}

static const char *state_text(struct page *p, const struct account *a)
{
	if (is_approved(a))
		return page_word(p, "admin.state.approved");
	switch (a->state) {
	case ACCOUNT_CONNECTING: return page_word(p, "admin.state.connecting");
	case ACCOUNT_CONNECTED:  return page_phrase(p, "admin.state.connected", "address", a->address, NULL);
	case ACCOUNT_DEGRADED:   return page_word(p, account_has_mail(a) ? "admin.state.degraded" : "admin.state.degraded.calendar");
	case ACCOUNT_WAITING:    return page_phrase(p, "admin.state.waiting", "time", tell_time(a->next_try, p->lang, p->job), NULL);
	case ACCOUNT_PAUSED:     return page_word(p, "admin.state.paused");
	case ACCOUNT_REMOVED:    return page_word(p, "admin.state.removed");
	default:                 return page_word(p, "admin.state.needs");
	}
}

static void state(struct page *p, const struct admin_page *a)
{
	const struct account *acc = a->account;
	const char           *watch = arena_print(p->job, "%s/state.json", a->path);
	const char           *class = is_done(acc) || is_approved(acc) ? "notice good" : "notice";

	page_open(p, "section", "class", class, "aria-labelledby", "state",
		"data-watch", watch, "data-state", account_state_name(acc->state), "data-cause", acc->cause,
		"data-every", is_approved(acc) ? "5000" : NULL, NULL);
	page_element(p, "h2", page_word(p, "admin.state"), "id", "state", NULL);
	page_element(p, "p", state_text(p, acc), "role", "status", NULL);
	if (is_done(acc))
		page_element(p, "p", page_word(p, "admin.nothing"), NULL);
	if (acc->report_at && acc->state != ACCOUNT_REMOVED)
		page_element(p, "p", page_phrase(p, "admin.checked", "time", tell_time(acc->report_at, p->lang, p->job), NULL), "class", "small", NULL);
	page_close(p, "section");
}

/* Nothing to check while it is being checked, and nothing to check where nothing is. */
static void check_button(struct page *p, const struct admin_page *a)
{
	enum account_state state = a->account->state;

	if (state == ACCOUNT_CONNECTING || state == ACCOUNT_PAUSED || is_done(a->account) || is_approved(a->account))
		return;
	page_open(p, "form", "class", "buttons", "method", "post", "action", a->path, NULL);
	render_csrf(p, a->csrf);
	page_element(p, "button", page_word(p, "admin.check"), "type", "submit", NULL);
	page_close(p, "form");
}

static void one_address(struct page *p, const struct our_addresses *ours, const struct our_address *a)
{
	struct value address = { "address", a->address };
	const char  *marked = a->address;

	if (our_address_is_sure(ours, a))
		page_element(p, "li", a->address, "translate", "no", NULL);
	else if (catalogue_fill(p->job, catalogue_text(p->lang, "ui/seen_once"), &address, 1, &marked))
		page_element(p, "li", marked, NULL);
}

static void addresses(struct page *p, const struct admin_page *a, enum cause cause)
{
	if (!tell_asks_for(cause, "our_address"))
		return;
	page_element(p, "h2", page_word(p, "admin.addresses"), NULL);
	if (!a->ours->count) {
		page_element(p, "p", page_word(p, "admin.addresses.none"), NULL);
		return;
	}
	page_element(p, "p", page_word(p, a->ours->configured ? "admin.addresses.text" : "admin.addresses.learnt"), NULL);
	page_open(p, "ul", "class", "links", NULL);
	for (size_t i = 0; i < a->ours->count; i++)
		one_address(p, a->ours, &a->ours->item[i]);
	page_close(p, "ul");
}

static void undo(struct page *p, const struct retold_cause *c)
{
	const char *text = catalogue_text(p->lang, arena_print(p->job, "page/undo.%s", cause_row(c->cause)->id)), *filled;

	if (!text || !catalogue_fill(p->job, text, c->told.value, c->told.values, &filled))
		return;
	page_element(p, "h2", page_word(p, "admin.undo"), NULL);
	page_open(p, "p", NULL);
	page_prose(p, filled, NULL, 0);
	page_close(p, "p");
}

static void what_is_wrong(struct page *p, const struct admin_page *a, const struct retold_cause *c)
{
	if (is_approved(a->account)) {
		state(p, a);
		render_proof(p, a->report);
		return;
	}
	page_element(p, "p", page_phrase(p, "admin.lead", "product", a->product, "address", a->account->address, NULL), "class", "lead", NULL);
	render_marks(p, c, false);
	state(p, a);
	page_open(p, "div", "class", "card", NULL);
	if (a->approval)
		render_ways(p, c, a->approval);
	else
		render_remedy(p, c);
	addresses(p, a, c->cause);
	page_element(p, "h2", page_word(p, "admin.rights"), NULL);
	page_element(p, "p", page_word(p, approval_place(c) ? "approval.rights" : "admin.rights.text"), NULL);
	if (!a->approval)
		undo(p, c);
	render_help_link(p, c->cause);
	page_close(p, "div");
	check_button(p, a);
	render_proof(p, a->report);
}

bool render_admin(struct page *p, const struct admin_page *a)
{
	bool        wrong = !is_done(a->account) && a->report && a->report->causes;
	const char *title = wrong ? a->report->cause[0].told.title : page_word(p, "admin.title");

	page_begin(p, &(struct frame){ .title = title, .path = a->path, .script = "again.js",
		                       .refresh = a->account->state == ACCOUNT_CONNECTING ? a->path : NULL });
	page_element(p, "p", page_word(p, "admin.title"), "class", "small", NULL);
	if (wrong) {
		page_element(p, "h1", title, NULL);
		what_is_wrong(p, a, &a->report->cause[0]);
	} else {
		page_element(p, "h1", state_text(p, a->account), NULL);
		state(p, a);
		check_button(p, a);
	}
	page_element(p, "p", page_phrase(p, "admin.valid", "time", tell_time(a->expires, p->lang, p->job), NULL), "class", "small", NULL);
	return page_end(p);
}
