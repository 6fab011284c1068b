#include "provider/rest.h"

#include "base/random.h"

enum { REST_START, REST_LULL, REST_STIRRED, REST_OVER };

#define LULL_MS 1000      /* between two turns where it stirs without end */

static int with_dice(int ms, bool busy)
{
	uint32_t dice;
	int      eighth = ms / 8;

	random_bytes(&dice, sizeof dice);
	if (busy)
		return ms + (int)(dice % (uint32_t)(eighth + 1));
	return ms - eighth + (int)(dice % (uint32_t)(2 * eighth + 1));
}

enum want_kind rest_step(struct rest *s, int ms, bool busy, bool told, struct want *w)
{
	switch (s->step) {
	case REST_START:
		s->left_ms = with_dice(ms, busy);
		if (s->woken || s->stirred.open) {
			AWAIT(s, REST_LULL, want_time(w, LULL_MS)):
			want_came(w);
		}
		if (told && !busy) {
			AWAIT(s, REST_STIRRED, want_gate(w, &s->stirred, s->left_ms)):
			want_came(w);
		} else {
			AWAIT(s, REST_OVER, want_time(w, s->left_ms)):
			want_came(w);
		}
		s->woken = s->stirred.open;
		s->step = REST_START;
		return WANT_NOTHING;
	}
	return WANT_FAILED;
}
