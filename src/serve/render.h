/* render.h -- the pages that work without scripts: from plain data to HTML. No store, no keeper, no clock.
 *
 * Each writes one whole page and says whether it fitted (page_end()). Texts come from the catalogue in the page's language; data may hold
 * anything a peer or a user wrote. The handlers that load the data are pages_*.c.
 */
#ifndef SERVE_RENDER_H
#define SERVE_RENDER_H

#include "diagnose/retell.h"
#include "model/account.h"
#include "serve/our_addresses.h"
#include "serve/page.h"
#include "serve/signin_place.h"

/* -- help ----------------------------------------------------------------------------------------------------------- */

struct help_page {
	enum cause  cause;
	const char *csrf;              /* for the feedback's form                 */
	bool        thanked;           /* it was given a moment ago               */
};

bool render_help_index(struct page *);
bool render_help(struct page *, const struct help_page *);
bool render_help_unknown(struct page *);

/* -- connecting a mailbox -------------------------------------------------------------------------------------------- */

enum connect_input {
	INPUT_ADDRESS, INPUT_PASSWORD, INPUT_USERNAME, INPUT_CALDAV_USERNAME, INPUT_CALDAV_PASSWORD,
	/* from here on what may be found */
	INPUT_PROVIDER, INPUT_EWS_URL, INPUT_IMAP_HOST, INPUT_IMAP_PORT, INPUT_SMTP_HOST, INPUT_SMTP_PORT, INPUT_CALDAV_URL,
	INPUTS
};

const char *connect_input_name(enum connect_input);          /* of the form's field: "imap_host" */
const char *connect_found_name(enum connect_input);          /* of the hidden one that remembers what was filled in by us: "found_imap_host" */

/* A link that does not open, and why not. */
enum link_trouble { LINK_UNKNOWN, LINK_EXPIRED, LINK_USED, LINK_ELSEWHERE };

struct link_page {
	enum link_trouble trouble;
	int64_t           expired;             /* Unix ms                          */
	const char       *path;                /* of this page                     */
};

struct connect_page {
	const char *path;                      /* "/connect/TOKEN"                 */
	const char *product;                   /* the workspace's name             */
	const char *csrf;
	bool        address_fixed;
	const char *value[INPUTS];             /* NULL: empty; never the password  */
	const char *wrong[INPUTS];             /* key of "page/…" that says what is wrong with it, or NULL */
	const char *found[INPUTS];             /* what a search filled in there, whether or not it was changed since; NULL: nothing */
	bool        searched;                  /* somebody asked for that search: say what came of it */
	bool        search_now;                /* with scripts it is worth looking as soon as the page is there */
	bool        registered[SIGNIN_PLACES]; /* people can sign in there         */
	enum away { AWAY_NOT, AWAY_ASKS, AWAY_UNKNOWN } away;      /* sent there and not come back; what they pasted says nothing */
};

struct shown_step {
	const char *label, *state, *text;      /* `state` is an id: "running"; text NULL: none */
};

struct progress_page {
	const char              *path;         /* "/connect/TOKEN"; this page is "…/progress" */
	const char              *address;
	const struct shown_step *step;
	size_t                   steps;
};

struct result_page {
	const char           *path;            /* "/connect/TOKEN"                           */
	const char           *product;
	const char           *csrf;
	const char           *back;            /* the link's return address, NULL: none      */
	const char           *bcc;             /* the workspace's BCC address, NULL: none    */
	const struct account *account;
	const struct retold  *report;          /* NULL: none is kept                         */
	bool                  registered[SIGNIN_PLACES];      /* people can sign in there    */
	bool                  unkept;          /* nothing of it is: there is nothing to hand over, nor to tell the product */
	enum sign_in_offer {
		SIGN_IN_NONE,
		SIGN_IN_SOON,                  /* by itself, in a moment                     */
		SIGN_IN_ONCE_MORE,             /* the person has to, and nothing is in the way any more */
	}                     sign_in;
};

/* Two sentences and no more: "page/KEY" and "page/KEY.text". */
struct notice_page {
	const char *key;
	const char *path;
};

/* Out to a sign-in page, at once. No redirect: a browser holds those that follow a form against Content-Security-Policy, to the last one,
 * and where an organisation has its own sign-in pages nobody knows beforehand which one that is. */
struct onward_page {
	const char *path;                      /* "/connect/TOKEN"                           */
	const char *url;
	const struct signin_place *place;
};

struct handover_page {
	const char *path;                      /* "/connect/TOKEN"                           */
	const char *product, *address, *url;
	int64_t     expires;
};

bool render_link(struct page *, const struct link_page *);
bool render_notice(struct page *, const struct notice_page *);
bool render_onward(struct page *, const struct onward_page *);
bool render_connect(struct page *, const struct connect_page *);
/* What was found for the person, in one line; "" for nothing. */
const char *connect_found_text(struct page *, const struct connect_page *);
bool render_progress(struct page *, const struct progress_page *);
/* The URL of Exchange that a verification found to be meant instead of the one that was typed; NULL: none, or it is taken already. */
const char *result_right_url(const struct account *, const struct retold *);
bool render_result(struct page *, const struct result_page *);
bool render_handover(struct page *, const struct handover_page *);

/* What is being done now, in one line: for the page and for progress.json. */
const char *progress_status(struct page *, const struct shown_step *, size_t steps, bool done);
/* "passed" in the reader's language. */
const char *step_state_word(const struct page *, const char *state);

/* -- what an administrator at a provider does ---------------------------------------------------------------------------- */

struct approval {
	const char *address;                   /* of the mailbox                                          */
	const char *app;                       /* the client id; NULL: nobody registered us               */
	const char *tenant;                    /* an id, or a domain of the organisation                  */
	const char *scopes;                    /* blanks between                                          */
	const char *portal;                    /* "https://entra.microsoft.com", "https://admin.google.com" */
	const char *consent_url;               /* ready; NULL: it is not consent that is missing          */
	bool        verified;                  /* Microsoft shows the app's publisher as verified         */
	const char *consent_door;              /* where its button leads instead, in the demo; NULL: there */
};

bool approval_has(const struct retold_cause *);              /* there are ways for that one                             */
/* Whose registration of ours they name; NULL: they name none. */
const struct signin_place *approval_place(const struct retold_cause *);
bool approval_asks_for_consent(const struct retold_cause *); /*   and it is an administrator's consent that is missing  */
/* Instead of render_remedy(): each way as steps, links, and lines for PowerShell with their undoing. */
void render_ways(struct page *, const struct retold_cause *, const struct approval *);

/* An administrator came back without having approved it. */
struct refused_page {
	const char          *path;             /* "/admin/TOKEN"                                          */
	const struct retold *report;           /* of the refusal, NULL: unreadable                        */
};

bool render_consent_refused(struct page *, const struct refused_page *);

/* -- the administrator's page ----------------------------------------------------------------------------------------- */

struct admin_page {
	const char           *path;            /* "/admin/TOKEN"                             */
	const char           *product;
	const char           *csrf;
	const struct our_addresses *ours;      /* for allowlists                             */
	const struct account *account;
	const struct retold  *report;          /* NULL: none is kept                         */
	int64_t               expires;         /* of the link                                */
	const struct approval *approval;       /* NULL: nothing to do at a provider         */
};

bool render_admin(struct page *, const struct admin_page *);

/* -- the pages that need scripts (web/app) ---------------------------------------------------------------------------- */

struct app_page {
	const char *kind;              /* "settings", "operator"                    */
	const char *path;              /* "/settings/TOKEN"                         */
	const char *product;           /* the workspace's name                      */
	const char *csrf;              /* of http_session()                         */
	const char *link;              /* the link's id: what the page remembers is remembered for it */
	const char *texts;             /* where the words are                       */
	int64_t     expires;           /* of the link                               */
};

bool render_app(struct page *, const struct app_page *);

/* -- the demo's tour --------------------------------------------------------------------------------------------------- */

struct tour_mailbox {
	const char *name, *address, *provider;
	const char *cause;             /* that has to come of it, NULL: it is connected      */
	bool        mended;            /* that was found and put right: it is connected      */
	bool        known, under_way;  /* it was verified; it is being verified              */
	const char *found;             /* what came of that, NULL: it is connected           */
};

struct demo_statement;

struct tour_page {
	const struct tour_mailbox   *mailbox;
	size_t                       mailboxes;
	const struct demo_statement *statement;
	size_t                       statements;
};

bool render_tour(struct page *, const struct tour_page *);

/* Something of ours does not work just now. `try_again`: where to, or NULL. */
bool render_trouble(struct page *, const char *try_again);

/* -- parts that several pages share --------------------------------------------------------------------------------- */

const char *who_word(const struct page *, enum who);        /* "Your administrator" */
void render_csrf(struct page *, const char *token);
/* The vendors' own pages about it, below that heading ("h2"); nothing where there are none. */
void render_documentation(struct page *, const struct told *, const char *heading);
/* Title apart: why, what to do, the links. */
void render_remedy(struct page *, const struct retold_cause *);
/* Folded away: what was seen, what it was not, what it may be instead. */
void render_proof(struct page *, const struct retold *);
/* "proven", and who must act, unless that is who reads it. */
void render_marks(struct page *, const struct retold_cause *, bool who);
void render_help_link(struct page *, enum cause);
/* The round sign above a title. */
void render_sign(struct page *, enum icon);
/* A list of steps with their states. `live`: where progress.json is, NULL for a list that stays. */
void render_checks(struct page *, const struct shown_step *, size_t count, const char *live);

#endif
