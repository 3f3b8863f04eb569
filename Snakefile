# One command, from raw files to tables, figures and the report page:
#   snakemake --cores all
# The rules only say what depends on what; replication/pipeline/ does the work, and the
# specifications of each study say what is estimated.
from pathlib import Path

from replication.workflow import project as plan


configfile: "config.yaml"


ROOT = Path(workflow.basedir)
STUDIES = plan.runnable(ROOT)


# Every output is named, so that one that was deleted is made again.
rule all:
    input:
        [study.clean_outputs() for study in STUDIES],
        [study.analysis_outputs() for study in STUDIES],
        [study.summary_outputs() for study in STUDIES],
        [study.table_outputs() for study in STUDIES],
        [study.figure_outputs() for study in STUDIES],
        "report/index.html",


for study in STUDIES:

    rule:
        name:
            f"clean_{study.id}"
        input:
            plan.raw_files(study),
        output:
            study.clean_outputs(),
        log:
            f"logs/{study.id}/clean.log",
        conda:
            "environment.yaml"
        params:
            study=study.id,
            code=plan.code_digest("clean"),
        shell:
            "python -m replication step clean {params.study} --log {log}"

    rule:
        name:
            f"estimate_{study.id}"
        input:
            study.clean_outputs(),
            specs=[path.relative_to(ROOT).as_posix() for path in study.spec_files],
        output:
            update(f"tables/{study.id}/estimates.csv"),
        log:
            f"logs/{study.id}/estimate.log",
        conda:
            "environment.yaml"
        threads: workflow.cores
        params:
            study=study.id,
            code=plan.code_digest("estimate"),
        shell:
            "python -m replication step estimate {params.study} --threads {threads} --log {log}"

    rule:
        name:
            f"analyse_{study.id}"
        input:
            f"tables/{study.id}/estimates.csv",
            study.description,
        output:
            update(study.analysis_outputs()),
            update(f"tables/{study.id}/.analyses.json"),
        log:
            f"logs/{study.id}/analyse.log",
        conda:
            "environment.yaml"
        params:
            study=study.id,
            code=plan.code_digest("analyse"),
        shell:
            "python -m replication step analyse {params.study} --log {log}"

    rule:
        name:
            f"check_{study.id}"
        input:
            f"tables/{study.id}/estimates.csv",
        output:
            update(f"tables/{study.id}/second_engine.csv"),
        log:
            f"logs/{study.id}/check.log",
        conda:
            "environment.yaml"
        params:
            study=study.id,
        shell:
            "python -m replication step check {params.study} --log {log}"

    rule:
        name:
            f"tables_{study.id}"
        input:
            f"tables/{study.id}/estimates.csv",
            f"tables/{study.id}/second_engine.csv",
            f"tables/{study.id}/.analyses.json",
            study.description,
            "config.yaml",
        output:
            update(study.table_outputs()),
        log:
            f"logs/{study.id}/tables.log",
        conda:
            "environment.yaml"
        params:
            study=study.id,
            code=plan.code_digest("report"),
        shell:
            "python -m replication step tables {params.study} --log {log}"

    rule:
        name:
            f"figures_{study.id}"
        input:
            f"tables/{study.id}/estimates.csv",
            f"tables/{study.id}/.analyses.json",
            study.description,
            "config.yaml",
        output:
            update(study.figure_outputs()),
        log:
            f"logs/{study.id}/figures.log",
        conda:
            "environment.yaml"
        params:
            study=study.id,
            code=plan.code_digest("report"),
        shell:
            "python -m replication step figures {params.study} --log {log}"

    if study.summary_outputs():

        rule:
            name:
                f"summary_{study.id}"
            input:
                study.clean_outputs(),
                f"tables/{study.id}/estimates.csv",
                f"tables/{study.id}/.analyses.json",
                study.description,
                f"studies/{study.id}/summary.md.j2",
            output:
                study.summary_outputs(),
            log:
                f"logs/{study.id}/summary.log",
            conda:
                "environment.yaml"
            params:
                study=study.id,
                code=plan.code_digest("report"),
            shell:
                "python -m replication step summary {params.study} --log {log}"


rule page:
    input:
        [study.summary_outputs() for study in STUDIES],
        [study.table_outputs() for study in STUDIES],
        [study.figure_outputs() for study in STUDIES],
        [study.description for study in plan.studies(ROOT)],
    output:
        "report/index.html",
    log:
        "logs/page.log",
    conda:
        "environment.yaml"
    params:
        skipped=[s.id for s in plan.studies(ROOT) if s not in STUDIES],
        code=plan.code_digest("report"),
    shell:
        "python -m replication step page --log {log}"
