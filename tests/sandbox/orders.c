#include "sandbox/orders.h"

#include "test.h"

TEST(orders_are_read)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct orders   all = { 0 };
	struct ordered *o;

	EXPECT(orders_add(&all, arena, "owa-redirect", NULL) && orders_add(&all, arena, "slow=300", NULL) && orders_add(&all, arena, "GetFolder:ErrorServerBusy", NULL));
	EXPECT(orders_has(&all, ORDER_PAGE) && !orders_has(&all, ORDER_CUT));
	EXPECT_TEXT(orders_has(&all, ORDER_SLOW)->value, "300");
	o = orders_take_code(&all, "GetFolder");
	EXPECT(o && !orders_take_code(&all, "GetItem"));
	EXPECT_TEXT(o->value, "ErrorServerBusy");
}

TEST(what_a_fault_is_short_for)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct orders   all = { 0 };
	struct ordered *o;

	EXPECT(orders_add(&all, arena, "send-as-denied", NULL));
	o = orders_take_code(&all, "CreateItem");
	EXPECT(o);
	EXPECT_TEXT(o->value, "ErrorSendAsDenied");
}

TEST(so_many_times_and_no_more)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct orders all = { 0 };

	EXPECT(orders_add(&all, arena, "unavailable=5#2", NULL) && orders_add(&all, arena, "*:ErrorServerBusy#1", NULL));
	EXPECT(orders_take(&all, ORDER_PAGE) && orders_has(&all, ORDER_PAGE) && orders_take(&all, ORDER_PAGE) && !orders_take(&all, ORDER_PAGE) && !orders_has(&all, ORDER_PAGE));
	EXPECT(orders_take_code(&all, "GetItem") && !orders_take_code(&all, "GetItem"));
}

TEST(orders_of_one_mailbox_are_not_anothers)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct orders all = { 0 };

	EXPECT(orders_add(&all, arena, "anna@contoso.example/aadsts=50053", NULL) && orders_add(&all, arena, "bert@contoso.example/GetFolder:ErrorServerBusy#1", NULL));
	EXPECT(orders_add(&all, arena, "expired.contoso.example/certificate-expired", NULL) && orders_add(&all, arena, "redirect=https://a@b.example/c", NULL));
	EXPECT(!orders_has(&all, ORDER_AADSTS) && !orders_take_code(&all, "GetFolder") && orders_has(&all, ORDER_PAGE));
	EXPECT_TEXT(orders_has(&all, ORDER_PAGE)->value, "https://a@b.example/c");
	orders_serve(&all, "Anna@contoso.example");
	EXPECT(orders_has(&all, ORDER_AADSTS) && !orders_take_code(&all, "GetFolder") && orders_has(&all, ORDER_PAGE));
	EXPECT_TEXT(orders_has(&all, ORDER_AADSTS)->value, "50053");
	EXPECT(orders_in_force(&all, &all.list[0]) && !orders_in_force(&all, &all.list[1]));
	orders_serve(&all, "bert@contoso.example");
	EXPECT(!orders_has(&all, ORDER_AADSTS) && orders_take_code(&all, "GetFolder") && !orders_take_code(&all, "GetFolder"));
	EXPECT(orders_of(&all, "anna@contoso.example", ORDER_AADSTS) && !orders_of(&all, "anna@contoso.example.org", ORDER_AADSTS));
	orders_serve(&all, NULL);
	EXPECT(!orders_has(&all, ORDER_AADSTS));
}

TEST(orders_of_a_host_are_of_those_below_it)
{
	CLEANUP(arena) struct arena *arena = arena_new();
	struct orders all = { 0 };

	EXPECT(orders_add(&all, arena, "expired.contoso.example/certificate-expired", NULL) && orders_add(&all, arena, "mail.contoso.example/owa-page", NULL));
	EXPECT(orders_at(&all, "expired.contoso.example", ORDER_CERTIFICATE) && orders_at(&all, "mail.EXPIRED.contoso.example", ORDER_CERTIFICATE));
	EXPECT(!orders_at(&all, "contoso.example", ORDER_CERTIFICATE) && !orders_at(&all, "unexpired.contoso.example", ORDER_CERTIFICATE));
	EXPECT(!orders_has(&all, ORDER_PAGE));
	orders_serve_host(&all, "mail.contoso.example");
	EXPECT(orders_has(&all, ORDER_PAGE) && !orders_has(&all, ORDER_CERTIFICATE));
	orders_serve_host(&all, NULL);
	EXPECT(!orders_has(&all, ORDER_PAGE));
}

TEST(orders_that_make_no_sense)
{
	static const char *const rows[] = { "", "nothing", "owa-page=1", "redirect", "slow", "=", "#1", "anna@contoso.example/", "anna@contoso.example/nothing", "/drop" };
	CLEANUP(arena) struct arena *arena = arena_new();
	struct orders all = { 0 };
	struct error  err;

	for (size_t i = 0; i < COUNT(rows); i++)
		EXPECT_ROW(!orders_add(&all, arena, rows[i], &err) && err.fault == FAULT_MALFORMED, rows[i]);
	EXPECT(all.count == 0);
	for (size_t i = 0; i < ORDERS_MOST; i++)
		EXPECT(orders_add(&all, arena, "drop", NULL));
	EXPECT(!orders_add(&all, arena, "drop", &err) && err.fault == FAULT_TOO_BIG);
}

TEST(each_row_has_a_name_of_its_own)
{
	for (size_t i = 0; order_at(i); i++)
		for (size_t k = 0; k < i; k++)
			EXPECT_ROW(strcmp(order_at(i)->name, order_at(k)->name) != 0, order_at(i)->name);
}
