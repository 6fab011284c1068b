#include "serve/state.h"

#include "test.h"

#define NOW  ((int64_t)1795248000000)
#define HOUR ((int64_t)3600000)
#define DAY  (24 * HOUR)

static const struct {
	const char        *name;
	enum verdict_kind  kind;
	enum cause         cause;
	enum certainty     certainty;
	enum who           who;
	bool               refused, was_connected;
	unsigned           failures;
	enum account_state state;
	int64_t            least, most;       /* of the pause; -1: never again by itself */
} rows[] = {
	{ "all is well: looked at again in a day", VERDICT_CONNECTED, CAUSE_NONE, 0, 0, false, true, 0, ACCOUNT_CONNECTED, DAY * 3 / 4, DAY * 5 / 4 },
	{ "a proven wrong password ends the tries", VERDICT_FAILED, CAUSE_AUTH_PASSWORD_REJECTED, PROVEN, WHO_USER, true, true, 1, ACCOUNT_NEEDS_USER, -1, -1 },
	{ "a likely one is tried again, hours apart", VERDICT_FAILED, CAUSE_AUTH_PASSWORD_REJECTED, LIKELY, WHO_USER, true, true, 1, ACCOUNT_NEEDS_USER, HOUR * 3 / 4, HOUR * 5 / 4 },
	{ "and more seldom", VERDICT_FAILED, CAUSE_AUTH_PASSWORD_REJECTED, LIKELY, WHO_USER, true, true, 3, ACCOUNT_NEEDS_USER, DAY * 3 / 4, DAY * 5 / 4 },
	{ "refused for its address, proven: the administrator's", VERDICT_FAILED, CAUSE_AUTH_IP_NOT_ALLOWED, PROVEN, WHO_ADMIN, true, true, 1, ACCOUNT_NEEDS_ADMIN, -1, -1 },
	{ "too many attempts: heals, slowly", VERDICT_FAILED, CAUSE_AUTH_TOO_MANY_ATTEMPTS, PROVEN, WHO_NOBODY, true, true, 1, ACCOUNT_WAITING, HOUR * 3 / 4, HOUR * 5 / 4 },
	{ "an outage of one that was connected", VERDICT_FAILED, CAUSE_NET_REFUSED, PROVEN, WHO_USER, false, true, 1, ACCOUNT_WAITING, 11000, 19000 },
	{ "an outage for weeks", VERDICT_FAILED, CAUSE_NET_TIMEOUT, LIKELY, WHO_ADMIN, false, true, 5000, ACCOUNT_WAITING, 1350000, 2250000 },
	{ "the same of one that never was: somebody typed it", VERDICT_FAILED, CAUSE_NET_REFUSED, PROVEN, WHO_USER, false, false, 1, ACCOUNT_NEEDS_USER, 11000, 19000 },
	{ "its directory was down when the password came", VERDICT_FAILED, CAUSE_AUTH_BACKEND_DOWN, PROVEN, WHO_PROVIDER, true, true, 1, ACCOUNT_WAITING, 11000, 19000 },
	{ "an expired certificate costs no password: tried on", VERDICT_FAILED, CAUSE_TLS_EXPIRED, PROVEN, WHO_ADMIN, false, true, 1, ACCOUNT_NEEDS_ADMIN, 11000, 19000 },
	{ "sending alone", VERDICT_PARTIAL, CAUSE_SMTP_AUTH_OFF, PROVEN, WHO_ADMIN, false, true, 1, ACCOUNT_DEGRADED, HOUR * 3 / 4, HOUR * 5 / 4 },
	{ "sending alone, while something is down", VERDICT_PARTIAL, CAUSE_AUTH_BACKEND_DOWN, PROVEN, WHO_PROVIDER, true, true, 1, ACCOUNT_DEGRADED, 11000, 19000 },
	{ "the calendar's password is refused: once a day, and mail goes on", VERDICT_PARTIAL, CAUSE_AUTH_PASSWORD_REJECTED, LIKELY, WHO_USER, true, true, 1, ACCOUNT_DEGRADED, DAY * 3 / 4, DAY * 5 / 4 },
	{ "something is needed", VERDICT_UNFINISHED, CAUSE_NONE, 0, 0, false, false, 1, ACCOUNT_NEEDS_USER, -1, -1 },
};

TEST(what_a_verdict_makes_of_an_account)
{
	static const uint16_t dice[] = { 0, 1, 32768, UINT16_MAX };

	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t d = 0; d < COUNT(dice); d++) {
			struct verdict v = { .kind = rows[i].kind, .findings = rows[i].cause != CAUSE_NONE };
			struct account a = { .last_ok = rows[i].was_connected ? NOW - DAY : 0, .cause = cause_row(rows[i].cause)->id, .failures = rows[i].failures - 1 };
			struct outcome o;

			v.finding[0] = (struct finding){ .cause = rows[i].cause, .certainty = rows[i].certainty, .who = rows[i].who };
			outcome_of(&v, &a, rows[i].refused, dice[d], NOW, &o);
			EXPECT_ROW(o.state == rows[i].state, rows[i].name);
			EXPECT_ROW(o.cause == rows[i].cause, rows[i].name);
			if (rows[i].least < 0)
				EXPECT_ROW(o.next_try == NEVER, rows[i].name);
			else
				EXPECT_ROW(o.next_try >= NOW + rows[i].least && o.next_try <= NOW + rows[i].most, rows[i].name);
		}
}

/* An outage never ends the tries, whatever its cause, and however long it lasts. */
TEST(no_outage_ends_the_tries)
{
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		for (unsigned failures = 1; failures < 100000; failures *= 10) {
			struct verdict v = { .kind = VERDICT_FAILED, .findings = 1 };
			struct account a = { .last_ok = 1, .cause = cause_row(c)->id, .failures = failures - 1 };
			struct outcome o;

			v.finding[0] = (struct finding){ .cause = c, .certainty = PROVEN, .who = cause_row(c)->who };
			outcome_of(&v, &a, false, 0, NOW, &o);
			EXPECT_ROW(o.next_try < NOW + HOUR, cause_row(c)->id);
		}
}

TEST(another_cause_counts_anew)
{
	struct verdict v = { .kind = VERDICT_FAILED, .findings = 1, .finding[0] = { .cause = CAUSE_TLS_EXPIRED, .certainty = PROVEN, .who = WHO_ADMIN } };
	struct account a = { .last_ok = 1, .cause = "net.refused", .failures = 40 };
	struct outcome o;

	outcome_of(&v, &a, false, 0, NOW, &o);
	EXPECT(o.failures == 1 && o.next_try < NOW + 20000);
	a.cause = "tls.expired";
	outcome_of(&v, &a, false, 0, NOW, &o);
	EXPECT(o.failures == 41 && o.next_try > NOW + 20000);
}

TEST(the_budget_of_a_day)
{
	EXPECT(budget_allows(0, TRIES_A_DAY, NOW) == NOW);
	EXPECT(budget_allows(TRIES_A_DAY - 1, TRIES_A_DAY, NOW) == NOW);
	EXPECT(budget_allows(TRIES_A_DAY, TRIES_A_DAY, NOW) > NOW);
	EXPECT(budget_allows(TRIES_A_DAY, TRIES_A_DAY, NOW) % DAY == 0);
	EXPECT(budget_allows(TRIES_A_DAY, TRIES_A_DAY, NOW) <= NOW + DAY);
}
