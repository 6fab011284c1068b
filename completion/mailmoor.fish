# Completion of mailmoor's command line, for fish.

complete -c mailmoor -f
complete -c mailmoor -n __fish_use_subcommand -a diagnose -d 'why a mailbox cannot be connected, live'
complete -c mailmoor -n __fish_use_subcommand -a explain -d 'what an error text means'
complete -c mailmoor -n __fish_use_subcommand -a replay -d 'the verdict of a recorded case, offline'
complete -c mailmoor -n __fish_use_subcommand -a causes -d 'the catalogue of causes'
complete -c mailmoor -n __fish_use_subcommand -s h -l help -d 'show the commands'
complete -c mailmoor -n __fish_use_subcommand -s V -l version -d 'show the version'

set -l diagnose '__fish_seen_subcommand_from diagnose'
complete -c mailmoor -n $diagnose -l provider -x -a 'auto imap' -d 'kind of service'
complete -c mailmoor -n $diagnose -l username -x -d 'where it is not the address'
complete -c mailmoor -n $diagnose -l password-file -r -F -d 'the password, - is standard input'
complete -c mailmoor -n $diagnose -l token-file -r -F -d 'answer of an OAuth token endpoint'
complete -c mailmoor -n $diagnose -l imap -x -d 'the IMAP server'
complete -c mailmoor -n $diagnose -l smtp -x -d 'the submission server'
complete -c mailmoor -n $diagnose -l caldav -x -d 'not built yet'
complete -c mailmoor -n $diagnose -l ews -x -d 'not built yet'
complete -c mailmoor -n $diagnose -l send-test -d 'send a test message'
complete -c mailmoor -n $diagnose -l calendar-test -d 'not built yet'
complete -c mailmoor -n $diagnose -l resolver -x -d 'name server to ask'
complete -c mailmoor -n $diagnose -l ca-file -r -F -d 'authorities trusted besides the system\'s'
complete -c mailmoor -n $diagnose -l connect-to -x -d 'go there instead'
complete -c mailmoor -n $diagnose -l timeout -x -d 'bound on the whole, in seconds'
complete -c mailmoor -n $diagnose -l record -r -F -d 'write facts and conversation'
complete -c mailmoor -n $diagnose -l config -r -F -d 'settings file'

set -l replay '__fish_seen_subcommand_from replay'
complete -c mailmoor -n $replay -F

set -l verbose '__fish_seen_subcommand_from diagnose replay'
complete -c mailmoor -n $verbose -s v -l verbose -d 'with every fact'

set -l every '__fish_seen_subcommand_from diagnose explain replay causes'
complete -c mailmoor -n $every -s l -l lang -x -a 'en fi de pl th nl' -d 'language of the texts'
complete -c mailmoor -n $every -l json -d 'print JSON'
complete -c mailmoor -n $every -s '?' -l help -d 'show the options'
complete -c mailmoor -n $every -l usage -d 'show them shorter'
