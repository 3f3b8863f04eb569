# One command, from raw files to tables, figures and the report page:
#   snakemake --cores all
# The rules define the dependencies; replication/workflow/ does the work, and the
# specifications of each study define the estimates. docs/workflow.md has the graph of the rules.
from pathlib import Path

from replication.workflow.rule_inputs import Rules
from replication.workflow.run_lock import note_owner


configfile: "config.yaml"


RULES = Rules.read(Path(workflow.basedir), config)
if workflow.is_main_process:
    RULES.remove_incomplete()


wildcard_constraints:
    study=RULES.pattern,
    part=r"\d+",
    parts=r"\d+",
    draws=r"\d+",


onstart:
    note_owner(RULES.root)


# Parameters are digests: of what a step reads, as contents count and not the times of files, and of the
# code behind it. They are taken from the wildcards, as Snakemake does not compare those taken from the input.
# Specifications are a parameter only: it looks at every input of every waiting job each time that a job ends.
# The ledgers (.tables.json, for example) name every output of a step and what each was made from: one that
# was deleted or whose inputs changed is made again.
rule all:
    input:
        expand("data_clean/{study}/.clean.json", study=RULES.studies),
        [RULES.part_outputs(study) for study in RULES.studies],
        expand("tables/{study}/estimates.csv", study=RULES.studies),
        expand("tables/{study}/.analyses.json", study=RULES.studies),
        expand("tables/{study}/second_engine.csv", study=RULES.studies),
        expand("tables/{study}/.tables.json", study=RULES.studies),
        expand("figures/{study}/.figures.json", study=RULES.studies),
        RULES.summaries(),
        expand("report/{study}/.traces.json", study=RULES.studies),
        expand("report/{study}/.page.json", study=RULES.studies),
        "report/index.html",


rule clean:
    input:
        lambda wildcards: RULES.raw_files(wildcards.study),
    output:
        "data_clean/{study}/codebook.md",
        "data_clean/{study}/codebook.csv",
        "data_clean/{study}/sample_flow.csv",
        "data_clean/{study}/.clean.json",
    log:
        "logs/{study}/clean.log",
    benchmark:
        "logs/{study}/clean.tsv"
    priority: RULES.priority
    conda:
        "environment.yaml"
    params:
        code=lambda wildcards: RULES.code("clean", wildcards.study),
    shell:
        "python -m replication step clean {wildcards.study} --log {log}"


rule estimate:
    input:
        "data_clean/{study}/.clean.json",
    output:
        "tables/{study}/.parts/{part}-of-{parts}.json",
    log:
        "logs/{study}/estimate-{part}-of-{parts}.log",
    benchmark:
        "logs/{study}/estimate-{part}-of-{parts}.tsv"
    priority: RULES.priority
    conda:
        "environment.yaml"
    threads: RULES.settings["estimation"]["threads"]
    params:
        specs=lambda wildcards: RULES.contents(RULES.specifications(wildcards.study)),
        code=RULES.code("estimate"),
    shell:
        "python -m replication step estimate {wildcards.study} --part {wildcards.part}"
        " --parts {wildcards.parts} --threads {threads} --log {log}"


rule gather:
    input:
        lambda wildcards: RULES.part_outputs(wildcards.study),
    output:
        "tables/{study}/estimates.csv",
    log:
        "logs/{study}/gather.log",
    benchmark:
        "logs/{study}/gather.tsv"
    priority: RULES.priority
    conda:
        "environment.yaml"
    shell:
        "python -m replication step gather {wildcards.study} --threads {threads} --log {log}"


rule analyze:
    input:
        "tables/{study}/estimates.csv",
        description=lambda wildcards: RULES.description(wildcards.study),
    output:
        "tables/{study}/.analyses.json",
    log:
        "logs/{study}/analyze.log",
    benchmark:
        "logs/{study}/analyze.tsv"
    priority: RULES.priority
    conda:
        "environment.yaml"
    params:
        description=lambda wildcards: RULES.contents(RULES.description(wildcards.study)),
        code=lambda wildcards: RULES.code("analyze", wildcards.study),
    shell:
        "python -m replication step analyze {wildcards.study} --log {log}"


rule check:
    input:
        "tables/{study}/estimates.csv",
        description=lambda wildcards: RULES.description(wildcards.study),
    output:
        "tables/{study}/second_engine.csv",
    log:
        "logs/{study}/check.log",
    benchmark:
        "logs/{study}/check.tsv"
    priority: RULES.priority
    conda:
        "environment.yaml"
    threads: RULES.settings["estimation"]["threads"]
    params:
        description=lambda wildcards: RULES.contents(RULES.description(wildcards.study)),
        code=RULES.code("check"),
    shell:
        "python -m replication step check {wildcards.study} --threads {threads} --log {log}"


rule tables:
    input:
        "tables/{study}/estimates.csv",
        "tables/{study}/second_engine.csv",
        "tables/{study}/.analyses.json",
        "config.yaml",
        description=lambda wildcards: RULES.description(wildcards.study),
    output:
        "tables/{study}/.tables.json",
    log:
        "logs/{study}/tables.log",
    benchmark:
        "logs/{study}/tables.tsv"
    priority: RULES.priority
    conda:
        "environment.yaml"
    params:
        description=lambda wildcards: RULES.contents(RULES.description(wildcards.study)),
        stars=RULES.settings["tables"]["stars"],
        code=RULES.code("tables"),
    shell:
        "python -m replication step tables {wildcards.study} --log {log}"


rule figures:
    input:
        "tables/{study}/estimates.csv",
        "tables/{study}/.analyses.json",
        description=lambda wildcards: RULES.description(wildcards.study),
    output:
        "figures/{study}/.figures.json",
    log:
        "logs/{study}/figures.log",
    benchmark:
        "logs/{study}/figures.tsv"
    priority: RULES.priority_of_figures
    conda:
        "environment.yaml"
    params:
        description=lambda wildcards: RULES.contents(RULES.description(wildcards.study)),
        code=RULES.code("figures"),
    shell:
        "python -m replication step figures {wildcards.study} --log {log}"


rule summary:
    input:
        "data_clean/{study}/.clean.json",
        "tables/{study}/estimates.csv",
        "tables/{study}/.analyses.json",
        description=lambda wildcards: RULES.description(wildcards.study),
    output:
        "report/{study}/summary.md",
        "tables/{study}/summary_numbers.csv",
    log:
        "logs/{study}/summary.log",
    benchmark:
        "logs/{study}/summary.tsv"
    priority: RULES.priority
    conda:
        "environment.yaml"
    params:
        description=lambda wildcards: RULES.contents(RULES.description(wildcards.study)),
        code=lambda wildcards: RULES.code("summary", wildcards.study),
    shell:
        "python -m replication step summary {wildcards.study} --log {log}"


rule traces:
    input:
        "data_clean/{study}/.clean.json",
        lambda wildcards: RULES.part_outputs(wildcards.study),
        "tables/{study}/estimates.csv",
        "tables/{study}/second_engine.csv",
        "tables/{study}/.analyses.json",
        "config.yaml",
        description=lambda wildcards: RULES.description(wildcards.study),
    output:
        "report/{study}/.traces.json",
    log:
        "logs/{study}/traces.log",
    benchmark:
        "logs/{study}/traces.tsv"
    priority: RULES.priority
    conda:
        "environment.yaml"
    params:
        description=lambda wildcards: RULES.contents(RULES.description(wildcards.study)),
        stars=RULES.settings["tables"]["stars"],
        code=RULES.code("traces"),
    shell:
        "python -m replication step traces {wildcards.study} --log {log}"


rule page:
    input:
        "tables/{study}/.tables.json",
        "figures/{study}/.figures.json",
        "report/{study}/.traces.json",
        lambda wildcards: RULES.studies[wildcards.study].summary_outputs(),
    output:
        "report/{study}/.page.json",
    log:
        "logs/{study}/page.log",
    benchmark:
        "logs/{study}/page.tsv"
    priority: RULES.priority
    conda:
        "environment.yaml"
    params:
        code=RULES.code("page"),
    shell:
        "python -m replication step page {wildcards.study} --log {log}"


rule report:
    input:
        expand("report/{study}/.page.json", study=RULES.studies),
    output:
        "report/index.html",
    log:
        "logs/report.log",
    benchmark:
        "logs/report.tsv"
    conda:
        "environment.yaml"
    params:
        skipped=RULES.skipped,
        contents=RULES.skipped_contents,
        code=RULES.code("report"),
    shell:
        "python -m replication step report --log {log}"


# Placebo rollouts on demand, in as many jobs as the estimates:
#   snakemake --cores all simulations/secure_communities/1000/.done
rule draw:
    input:
        "data_clean/{study}/.clean.json",
    output:
        touch("simulations/{study}/{draws}/.parts/{part}-of-{parts}"),
    log:
        "logs/{study}/draw-{draws}-{part}-of-{parts}.log",
    benchmark:
        "logs/{study}/draw-{draws}-{part}-of-{parts}.tsv"
    conda:
        "environment.yaml"
    threads: RULES.settings["estimation"]["threads"]
    params:
        specs=lambda wildcards: RULES.contents(RULES.specifications(wildcards.study)),
        code=RULES.code("draw"),
    shell:
        "python -m replication simulate {wildcards.study} --draws {wildcards.draws}"
        " --out simulations/{wildcards.study}/{wildcards.draws} --part {wildcards.part}"
        " --parts {wildcards.parts} --processes {threads} > {log}"


rule simulation:
    input:
        lambda wildcards: RULES.simulation_parts(wildcards.study, wildcards.draws),
    output:
        touch("simulations/{study}/{draws}/.done"),
    log:
        "logs/{study}/simulation-{draws}.log",
    benchmark:
        "logs/{study}/simulation-{draws}.tsv"
    conda:
        "environment.yaml"
    shell:
        "python -m replication simulate {wildcards.study} --draws {wildcards.draws}"
        " --out simulations/{wildcards.study}/{wildcards.draws} > {log}"
