/* our_address.h -- from which address the other side saw us come, in its own words: the answer to EHLO, the Received line of a message.
 *
 * Both are a stranger's claim: who is asked, and who is believed, is for others to decide. Given is only an address of the
 * public Internet (address_is_special() is not), and only where one is told and not several. No allocation.
 */
#ifndef WIRE_OUR_ADDRESS_H
#define WIRE_OUR_ADDRESS_H

#include "base/address.h"
#include "base/slice.h"

/* `line` is the first of the answer without its code: "smtp.gmail.com at your service, [8.8.4.4]", "mx Hello x [8.8.4.4]".
 * What stands in brackets counts, but for the server's own name in front. */
bool ehlo_tells_address(struct slice line, struct address *out);

/* Of the Received lines in that header the topmost that is about a client which said EHLO `our_name`, and tells where it came from:
 * "from [127.0.0.1] (unknown [8.8.4.4]) by mx …". What the client may have written itself does not count. */
bool received_tells_address(struct slice header, const char *our_name, struct address *out);

#endif
