/* message.h -- what is known of one message without its body. Texts are valid UTF-8 in one line; NULL where it has none. */
#ifndef MODEL_MESSAGE_H
#define MODEL_MESSAGE_H

#include <stdint.h>

struct message {
	const char        *remote_id;        /* the provider's name for it, stable: IMAP "UIDVALIDITY.UID" */
	const char        *message_id;       /* with < >, as it stands                                     */
	const char        *in_reply_to;
	const char        *from, *to;        /* first address of each                                      */
	const char        *subject;
	int64_t            received;         /* Unix seconds, 0 unknown                                    */
	unsigned long long size;             /* bytes, 0 unknown                                           */
};

#endif
