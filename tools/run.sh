#!/bin/sh
# What `make run` starts: the daemon; and where nobody has configured one yet, the demo is offered first.
#
# Configured is who has a setting in the environment, says --config or another option, keeps a file where settings usually are, or has run
# it before.
mailmoor="$BUILD/mailmoor"

is_configured()
{
	[ $# -gt 0 ] || env | grep -q '^MAILMOOR_' || [ -e /etc/mailmoor/mailmoor.conf ] || [ -e "$STATE_DIRECTORY/mailmoor.db" ]
}

if ! is_configured "$@"; then
	if [ -t 0 ] && [ -t 1 ]; then
		cat <<'END'
Nothing is configured here yet. There is a demo, which needs no account and no
network: one mailbox for each cause, and a tour of them. What it keeps goes when
it ends.

END
		printf 'Start the demo? [Y/n] '
		read -r answer || exit 0
		echo
		case "$answer" in
		[nN]*) ;;
		*) exec "$mailmoor" demo ;;
		esac
	else
		echo "Nothing is configured here yet; \`$mailmoor demo\` shows what it does, without an account."
	fi
fi
exec "$mailmoor" serve "$@"
