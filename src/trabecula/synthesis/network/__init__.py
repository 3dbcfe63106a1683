"""Networks of treatments: direct and indirect evidence together."""

from trabecula.synthesis.network.bayesian_network import BayesianNetworkFit, bayesian_network
from trabecula.synthesis.network.binomial_network import (
    BinomialNetworkFit,
    binomial_network,
)
from trabecula.synthesis.network.component import ComponentFit, component_network
from trabecula.synthesis.network.contribution import ContributionMatrix, contribution_matrix
from trabecula.synthesis.network.decomposition import DesignDecomposition, design_decomposition
from trabecula.synthesis.network.direct_evidence import EvidenceSplit, direct_and_indirect
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.graph import DisconnectedNetwork
from trabecula.synthesis.network.league import LeagueTable, league_table
from trabecula.synthesis.network.net_heat import NetHeat, net_heat
from trabecula.synthesis.network.network_measures import (
    NetworkMeasures,
    StudyImportance,
    network_measures,
    study_importance,
)
from trabecula.synthesis.network.network_meta_analysis import NetworkFit, network_meta_analysis
from trabecula.synthesis.network.node_splitting import NodeSplit, node_splitting
from trabecula.synthesis.network.paths import EvidencePaths, evidence_paths
from trabecula.synthesis.network.ranking import Ranking, p_scores, ranking
from trabecula.synthesis.network.rare_events_network import (
    RareEventsNetworkFit,
    rare_events_network,
)

__all__ = [
    "BayesianNetworkFit",
    "BinomialNetworkFit",
    "ComponentFit",
    "ContributionMatrix",
    "DesignDecomposition",
    "DisconnectedNetwork",
    "EvidencePaths",
    "EvidenceSplit",
    "LeagueTable",
    "NetHeat",
    "NetworkEvidence",
    "NetworkFit",
    "NetworkMeasures",
    "NodeSplit",
    "Ranking",
    "RareEventsNetworkFit",
    "StudyImportance",
    "bayesian_network",
    "binomial_network",
    "component_network",
    "contribution_matrix",
    "design_decomposition",
    "direct_and_indirect",
    "evidence_paths",
    "league_table",
    "net_heat",
    "network_measures",
    "network_meta_analysis",
    "node_splitting",
    "p_scores",
    "ranking",
    "rare_events_network",
    "study_importance",
]
