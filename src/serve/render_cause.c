#include "serve/render.h"

#include <string.h>

void render_marks(struct page *p, const struct retold_cause *c, bool who)
{
	const char *certainty = *c->certainty ? catalogue_text(p->lang, arena_print(p->job, "ui/certainty.%s", c->certainty)) : NULL;

	page_open(p, "ul", "class", "marks", "role", "list", NULL);
	if (who) {
		page_open(p, "li", "class", c->who == WHO_NOBODY ? "who nobody" : "who", NULL);
		page_text(p, arena_print(p->job, "%s: %s", page_word(p, "help.who"), who_word(p, c->who)));
		page_close(p, "li");
	}
	if (certainty)
		page_element(p, "li", certainty, NULL);
	page_close(p, "ul");
}

/* The URLs in a telling that are known to be the provider's own, not a peer's. */
static size_t known_links(const struct told *t, const char *known[TOLD_LINKS + 2])
{
	size_t count = 0;

	for (size_t i = 0; i < t->links; i++)
		known[count++] = t->link[i];
	for (size_t i = 0; i < t->values && count < TOLD_LINKS + 2; i++)
		if ((strcmp(t->value[i].name, "app_password_url") == 0 || strcmp(t->value[i].name, "settings_url") == 0)
		 && slice_starts(slice_str(t->value[i].text), "https://"))
			known[count++] = t->value[i].text;
	return count;
}

static bool is_told(const struct told *t, const char *link)
{
	for (size_t i = 0; i < t->fixes; i++)
		if (strstr(t->fix[i], link))
			return true;
	return false;
}

void render_remedy(struct page *p, const struct retold_cause *c)
{
	const struct told *t = &c->told;
	const char        *known[TOLD_LINKS + 2];
	size_t             count = known_links(t, known), more = 0;

	page_open(p, "p", NULL);
	page_prose(p, t->why, known, count);
	page_close(p, "p");
	page_element(p, "h2", catalogue_text(p->lang, "ui/what_to_do"), NULL);
	page_open(p, "ol", "class", "steps", "role", "list", NULL);
	for (size_t i = 0; i < t->fixes; i++) {
		page_open(p, "li", NULL);
		page_prose(p, t->fix[i], known, count);
		page_close(p, "li");
	}
	page_close(p, "ol");
	for (size_t i = 0; i < t->links; i++) {
		if (is_told(t, t->link[i]))
			continue;
		if (!more++) {
			page_element(p, "h3", page_word(p, "help.documentation"), NULL);
			page_open(p, "ul", "class", "links", NULL);
		}
		page_open(p, "li", NULL);
		page_element(p, "a", t->link[i], "href", t->link[i], "rel", "noreferrer", NULL);
		page_close(p, "li");
	}
	if (more)
		page_close(p, "ul");
}

void render_help_link(struct page *p, enum cause cause)
{
	page_open(p, "p", "class", "small", NULL);
	page_element(p, "a", page_word(p, "result.help"), "href", arena_print(p->job, "/help/%s?lang=%s", cause_row(cause)->id, p->lang->tag), NULL);
	page_close(p, "p");
}

/* "IMAP sign-in · reply.text", and the value as it was seen. */
static void fact(struct page *p, const struct retold_fact *f)
{
	page_open(p, "div", NULL);
	page_open(p, "dt", NULL);
	page_text(p, *f->step ? arena_print(p->job, "%s · ", f->step) : NULL);
	page_element(p, "span", f->fact, "translate", "no", NULL);
	page_close(p, "dt");
	page_open(p, "dd", NULL);
	page_element(p, "code", *f->value ? f->value : "–", "translate", "no", NULL);
	page_close(p, "dd");
	page_close(p, "div");
}

static void proof(struct page *p, const struct retold_cause *c)
{
	if (!c->proofs)
		return;
	page_open(p, "details", "class", "more", NULL);
	page_element(p, "summary", catalogue_text(p->lang, "ui/proof"), NULL);
	page_open(p, "dl", "class", "facts", NULL);
	for (size_t i = 0; i < c->proofs; i++)
		fact(p, &c->proof[i]);
	page_close(p, "dl");
	page_close(p, "details");
}

static void ruled_out(struct page *p, const struct retold *r)
{
	if (!r->outs)
		return;
	page_open(p, "details", "class", "more", NULL);
	page_element(p, "summary", page_word(p, "result.ruled_out"), NULL);
	page_open(p, "dl", "class", "facts", NULL);
	for (size_t i = 0; i < r->outs; i++) {
		page_open(p, "div", NULL);
		page_element(p, "dt", r->out[i].title, NULL);
		page_open(p, "dd", "class", "small", NULL);
		page_text(p, *r->out[i].by.step ? arena_print(p->job, "%s · ", r->out[i].by.step) : NULL);
		page_element(p, "span", r->out[i].by.fact, "translate", "no", NULL);
		page_text(p, " ");
		page_element(p, "code", r->out[i].by.value, "translate", "no", NULL);
		page_close(p, "dd");
		page_close(p, "div");
	}
	page_close(p, "dl");
	page_close(p, "details");
}

static void not_excluded(struct page *p, const struct retold *r)
{
	bool any = false;

	for (size_t i = 1; i < r->causes; i++) {
		if (r->cause[i].repaired)
			continue;
		if (!any) {
			page_open(p, "details", "class", "more", NULL);
			page_element(p, "summary", page_word(p, "result.not_excluded"), NULL);
			page_open(p, "ul", "class", "links", NULL);
		}
		any = true;
		page_open(p, "li", NULL);
		page_element(p, "a", r->cause[i].told.title, "href",
			arena_print(p->job, "/help/%s?lang=%s", cause_row(r->cause[i].cause)->id, p->lang->tag), NULL);
		page_close(p, "li");
	}
	if (any) {
		page_close(p, "ul");
		page_close(p, "details");
	}
}

void render_proof(struct page *p, const struct retold *r)
{
	if (r->causes)
		proof(p, &r->cause[0]);
	ruled_out(p, r);
	not_excluded(p, r);
}

void render_sign(struct page *p, enum icon icon)
{
	static const char *const classes[] = { [ICON_PASSED] = "sign passed", [ICON_FAILED] = "sign failed", [ICON_WARNED] = "sign warned", [ICON_WAITING] = "sign waiting" };

	page_open(p, "div", "class", classes[icon], NULL);
	page_icon(p, icon);
	page_close(p, "div");
}

const char *step_state_word(const struct page *p, const char *state)
{
	const char *word = NULL;

	if (strcmp(state, "running") == 0)
		return page_word(p, "progress.running");
	word = catalogue_text(p->lang, arena_print(p->job, "ui/state.%s", state));
	return word ? word : state;
}

/* web/connect.js writes the same. */
void render_checks(struct page *p, const struct shown_step *step, size_t count, const char *live)
{
	page_open(p, "ol", "class", "checks", "role", "list", "aria-label", page_word(p, "progress.list"), "data-progress", live, NULL);
	for (size_t i = 0; i < count; i++) {
		page_open(p, "li", "class", step[i].state, NULL);
		page_element(p, "span", step[i].label, "class", "label", NULL);
		page_text(p, " ");
		page_element(p, "span", step_state_word(p, step[i].state), "class", "unseen", NULL);
		if (step[i].text && *step[i].text) {
			page_text(p, " ");
			page_element(p, "span", step[i].text, "class", "text", NULL);
		}
		page_close(p, "li");
	}
	page_close(p, "ol");
}

bool render_trouble(struct page *p, const char *try_again)
{
	page_begin(p, &(struct frame){ .title = page_word(p, "trouble.title"), .path = try_again ? try_again : "/help" });
	render_sign(p, ICON_WARNED);
	page_element(p, "h1", page_word(p, "trouble.title"), NULL);
	page_element(p, "p", page_word(p, "trouble.lead"), "class", "lead", NULL);
	if (try_again) {
		page_open(p, "div", "class", "buttons", NULL);
		page_element(p, "a", page_word(p, "result.again"), "class", "button", "href", try_again, NULL);
		page_close(p, "div");
	}
	return page_end(p);
}

void render_documentation(struct page *p, const struct told *t, const char *heading)
{
	if (!t->links)
		return;
	page_element(p, heading, page_word(p, "help.documentation"), NULL);
	page_open(p, "ul", "class", "links", NULL);
	for (size_t i = 0; i < t->links; i++) {
		page_open(p, "li", NULL);
		page_element(p, "a", t->link[i], "href", t->link[i], "rel", "noreferrer", NULL);
		page_close(p, "li");
	}
	page_close(p, "ul");
}
