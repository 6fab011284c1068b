# Completion of mailmoor's command line, for bash; in zsh after `autoload -U bashcompinit && bashcompinit`.

_mailmoor_options()
{
	case $1 in
	diagnose)
		echo "--provider= --username= --password-file= --token-file= --imap= --smtp= --caldav= --ews= --send-test
			--calendar-test --resolver= --ca-file= --connect-to= --timeout= --record= --lang= --json --config=
			--verbose --help --usage"
		;;
	explain) echo "--lang= --json --help --usage" ;;
	replay) echo "--lang= --json --verbose --help --usage" ;;
	causes) echo "--lang= --json --help --usage" ;;
	esac
}

_mailmoor()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command=${COMP_WORDS[1]} words

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "diagnose explain replay causes --help --version" -- "$word"))
		return
	fi
	# bash takes "=" for a word of its own
	if [ "$word" = "=" ]; then
		word=
	elif [ "$before" = "=" ]; then
		before=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $before in
	--provider) words="auto imap" ;;
	--lang | -l) words="en fi de pl th nl" ;;
	--password-file | --token-file | --ca-file | --record | --config)
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -f -- "$word"))
		return
		;;
	--username | --imap | --smtp | --caldav | --ews | --resolver | --connect-to | --timeout) return ;;
	*)
		words=$(_mailmoor_options "$command")
		if [ "$command" = replay ] && [ "${word#-}" = "$word" ]; then
			compopt -o filenames 2>/dev/null
			COMPREPLY=($(compgen -f -- "$word"))
			return
		fi
		;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$word"))
	# no blank behind an option that wants a value
	[ "${#COMPREPLY[@]}" -eq 1 ] && [ "${COMPREPLY[0]%=}" != "${COMPREPLY[0]}" ] && compopt -o nospace 2>/dev/null
	return 0
}

complete -F _mailmoor mailmoor
