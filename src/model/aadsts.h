/* aadsts.h -- the numbers under which Microsoft Entra tells what went wrong ("AADSTS50105: ..."), found in any text.
 *
 * What they mean is for diagnose/ to say; here they are only seen. Behaviour must not hang on them (facts M, top): Microsoft
 * changes them. They pick the explanation.
 */
#ifndef MODEL_AADSTS_H
#define MODEL_AADSTS_H

#include <stdbool.h>

#include "base/slice.h"

#define AADSTS_LEAST 4      /* digits */
#define AADSTS_MOST  7

/* The digits of the first such number in `*text`, which moves behind them; false: there is none. Small letters are fine. A number
 * within a longer word is none. */
bool aadsts_next(struct slice *text, struct slice *digits_out);

/* What stands behind a label like "Correlation ID: ", up to where it ends; at == NULL: nothing of the form of an id or a time. */
struct slice aadsts_labelled(struct slice text, const char *label);

#endif
