# Completion of mailmoor's command line, for bash; in zsh after `autoload -U bashcompinit && bashcompinit`.

_mailmoor_options()
{
	case $1 in
	diagnose)
		echo "--provider= --username= --password-file= --token-file= --device-code --tenant-access --rights= --kerberos --ticket-cache= --keytab= --imap= --smtp= --caldav= --ews= --impersonate
			--send-test --calendar-test --resolver= --ca-file= --pin= --connect-to= --timeout= --record= --lang= --json --config=
			--verbose --help --usage"
		;;
	explain) echo "--lang= --json --help --usage" ;;
	replay) echo "--lang= --json --verbose --help --usage" ;;
	causes) echo "--lang= --json --help --usage" ;;
	serve) echo "--config= --verbose --help --usage" ;;
	account)
		echo "--password-file= --token-file= --device-code --tenant-access --rights= --username= --imap= --smtp= --ews= --impersonate --provider= --caldav= --caldav-username= --caldav-password-file= --external-id= --url= --key-file= --config= --lang= --json --help
			--usage"
		;;
	key) echo "--scope= --local --workspace= --url= --key-file= --config= --lang= --json --help --usage" ;;
	workspace) echo "--url= --key-file= --config= --lang= --json --help --usage" ;;
	config) echo "--config= --check --help --usage" ;;
	backup) echo "--config= --help --usage" ;;
	restore) echo "--config= --help --usage" ;;
	secrets) echo "--config= --help --usage" ;;
	doctor) echo "--config= --egress= --here --json --help --usage" ;;
	demo) echo "--port= --lang= --verbose --help --usage" ;;
	sandbox)
		echo "--exchange= --microsoft --imap --caldav --google --google-domain= --push-to= --redirect-uri= --fault= --faults --domain= --account= --items= --keytab= --listen= --high-ports --ca-file-out= --log=
			--deliver= --heartbeat= --json --help --usage"
		;;
	esac
}

# What may stand right behind a command's name.
_mailmoor_verbs()
{
	case $1 in
	account) echo "add list show verify pause resume reconnect remove" ;;
	key) echo "add list revoke" ;;
	workspace) echo "add list" ;;
	secrets) echo "rotate" ;;
	esac
}

_mailmoor()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "diagnose explain replay causes serve account key workspace config backup restore secrets doctor sandbox demo --help --version" -- "$word"))
		return
	fi
	# bash takes "=" for a word of its own
	if [ "$word" = "=" ]; then
		word=
	elif [ "$before" = "=" ]; then
		before=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $before in
	--provider) words="auto imap exchange caldav" ;;
	--rights) words="full read calendar" ;;
	--lang | -l) words="en fi de pl th nl" ;;
	--password-file | --caldav-password-file | --token-file | --ticket-cache | --keytab | --ca-file | --record | --config | --key-file | --ca-file-out | --log)
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -f -- "$word"))
		return
		;;
	--scope) words="accounts:read accounts:write events:read webhooks:write admin operator" ;;
	--username | --caldav-username | --imap | --smtp | --caldav | --ews | --resolver | --connect-to | --timeout | --external-id | --url | --workspace | --egress | --domain | --account | --items | --listen | --deliver | --heartbeat) return ;;
	--exchange) words="2007sp1 2010 2010sp1 2010sp2 2010sp3 2013 2016 2019 se online" ;;
	--fault) words=$(mailmoor sandbox --faults 2>/dev/null | sed -n "s/^  \([a-z][a-z0-9-]*\).*/\1/p") ;;
	*)
		words=$(_mailmoor_options "$command")
		[ "$COMP_CWORD" -eq 2 ] && words="$(_mailmoor_verbs "$command") $words"
		case $command:$word in
		*:-*) ;;
		replay:* | backup:* | restore:*)
			compopt -o filenames 2>/dev/null
			COMPREPLY=($(compgen -f -- "$word"))
			return
			;;
		esac
		;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$word"))
	# no blank behind an option that wants a value
	[ "${#COMPREPLY[@]}" -eq 1 ] && [ "${COMPREPLY[0]%=}" != "${COMPREPLY[0]}" ] && compopt -o nospace 2>/dev/null
	return 0
}

complete -F _mailmoor mailmoor
